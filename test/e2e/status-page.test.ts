import { mkdirSync } from "node:fs";
import { expect, it } from "vitest";
import { openBrowser, watchProblems } from "../support/browser.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { startDemo } from "../support/demo.ts";

/** Kept after the run, to be looked at. */
const PICTURES = new URL("../../test-results/", import.meta.url).pathname;

it.skipIf(!hasProgram("chromium"))(
  "the status page shows 72 racks live, and heat_spike from its button turns row C persistent, with reasons",
  async () => {
    mkdirSync(PICTURES, { recursive: true });
    const site = await startDemo({ speed: 40 });
    const browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
    const problems = watchProblems(page);
    await page.goto(site.http_url);
    await page.getByText("live", { exact: true }).waitFor();
    // The connection is live a moment before the first overview has come over it.
    await page.locator("#map button").nth(71).waitFor();
    expect(await page.locator("#map button").count()).toBe(72);

    await page.getByRole("button", { name: /heat_spike/ }).click();
    await page.getByText("started heat_spike").waitFor();
    await page.locator("#map button[id^='cell-R-C-'].persistent").nth(11).waitFor({ timeout: 30_000 });
    expect(await page.locator("#map button.persistent").count()).toBe(12);

    await page.locator("#cell-R-C-07").click();
    await page.getByRole("heading", { name: "Rack R-C-07" }).waitFor();
    expect(await page.locator("#rack .bars").textContent()).toMatch(
      /inlet_c|outlet_c|pdu_kw|tokens_ps|queue_depth/,
    );
    expect(await page.locator("#events").textContent()).toMatch(/persistent/);
    await page.screenshot({ path: `${PICTURES}status-page-light.png`, fullPage: true });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: `${PICTURES}status-page-dark.png`, fullPage: true });
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `${PICTURES}status-page-phone.png`, fullPage: true });
    expect(problems).toEqual([]);
  },
  180_000,
);
