import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface PanelProps {
  title: string;
  /** Beside the title: a count, a choice, a link. */
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A titled part of a page. */
export function Panel({ title, aside, class: extra = "", children }: PanelProps): JSX.Element {
  const id = useId();
  return (
    <section class={`panel ${extra}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** A page's own title; it takes the focus when the page is opened. */
export function PageHead({
  title,
  children,
}: {
  title: ComponentChildren;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <header class="page-head">
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </header>
  );
}
