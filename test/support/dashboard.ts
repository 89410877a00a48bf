import { mkdirSync } from "node:fs";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { openBrowser, watchProblems } from "./browser.ts";

/** Kept after the run, to be looked at. */
const PICTURES = new URL("../../test-results/", import.meta.url).pathname;

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[] }[];
}

export interface Dashboard {
  readonly page: Page;
  /** What went wrong on the page so far. */
  readonly problems: string[];
  /** Keeps pictures of the page in light, dark and at phone width. */
  pictures(name: string): Promise<void>;
  /** What axe finds serious or critical, in light and in dark. */
  violations(): Promise<string[]>;
}

/** An expectation of what a live page will show, not of the very moment. */
export const soon = <T>(probe: () => Promise<T>) => expect.poll(probe, { timeout: 10_000 });

/** The dashboard in Debian's Chromium, once it is live. */
export async function openDashboard(http_url: string, path = ""): Promise<Dashboard> {
  const browser = await openBrowser();
  // The page's own policy lets no test tool in; that the policy is sent is tested over HTTP.
  const page = await browser.newPage({
    viewport: { width: 1280, height: 900 },
    colorScheme: "light",
    bypassCSP: true,
  });
  const problems = watchProblems(page);
  await page.goto(`${http_url}/${path}`);
  await page.getByText("Live", { exact: true }).waitFor();
  const inBothThemes = async (look: (theme: "light" | "dark") => Promise<void>) => {
    for (const theme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await look(theme);
    }
  };
  return {
    page,
    problems,
    async pictures(name) {
      mkdirSync(PICTURES, { recursive: true });
      await inBothThemes(async (theme) => {
        await page.screenshot({ path: `${PICTURES}dashboard-${name}-${theme}.png` });
      });
      await page.setViewportSize({ width: 390, height: 844 });
      await page.screenshot({ path: `${PICTURES}dashboard-${name}-phone.png`, fullPage: true });
      await page.setViewportSize({ width: 1280, height: 900 });
    },
    async violations() {
      const found: string[] = [];
      await inBothThemes(async (theme) => {
        await page.evaluate(axe.source);
        const violations = await page.evaluate<Violation[]>(
          "axe.run(document).then((result) => result.violations)",
        );
        for (const { id, impact, nodes } of violations) {
          if (impact !== "serious" && impact !== "critical") continue;
          found.push(`${theme}: ${id} at ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
        }
      });
      return found;
    },
  };
}

/** By how many pixels the page is wider than the window; at most 0 where nothing has to be scrolled sideways. */
export const overflowPx = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - innerWidth");
