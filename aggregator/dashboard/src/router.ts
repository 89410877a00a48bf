import { effect, signal } from "@preact/signals";

/** Where the page is: `#/racks/R-C-07?from=…` is page `racks` with the part `R-C-07`. */
export interface Route {
  page: string;
  parts: string[];
  query: URLSearchParams;
}

function read(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...parts] = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { page, parts, query: new URLSearchParams(query) };
}

export const route = signal<Route>(read());

addEventListener("hashchange", () => {
  route.value = read();
});

/** The address of a page, for links: `href("racks", "R-C-07")`. */
export function href(page: string, ...parts: string[]): string {
  return `#/${[page, ...parts].filter(Boolean).map(encodeURIComponent).join("/")}`;
}

export function go(page: string, ...parts: string[]): void {
  location.hash = href(page, ...parts);
}

/** A new page begins at its top, and screen readers are told by the focus on its heading. */
export function followRoute(): void {
  let shown = `${route.value.page}/${route.value.parts.join("/")}`;
  effect(() => {
    const { page, parts } = route.value;
    const next = `${page}/${parts.join("/")}`;
    if (next === shown) return;
    shown = next;
    requestAnimationFrame(() => {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
    });
  });
}
