import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openSqliteStore } from "../../aggregator/store/sqlite/sqlite-store.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { openBrowser, watchProblems } from "../support/browser.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { smallModel } from "../support/models.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { writeDay } from "../support/site-history.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** Kept after the run, to be looked at. */
const PICTURES = new URL("../../test-results/", import.meta.url).pathname;
const SECTIONS = ["Summary", "State", "Deviations", "Energy", "Incidents", "Actions", "Savings", "Timeline"];

/** Every request that a page makes besides those for itself. */
function watchRequests(page: Page): string[] {
  const others: string[] = [];
  page.on("request", (request) => {
    if (!request.isNavigationRequest() && !request.url().startsWith("data:")) others.push(request.url());
  });
  return others;
}

/** How many pages a PDF has, by its page objects. */
function pageCount(pdf: Buffer): number {
  return pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
}

/** The parts of the page that reach beyond its width. */
const OVERFLOWING = `[...document.querySelectorAll("main *")]
  .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((element) => element.tagName + " " + element.textContent.slice(0, 40))`;

/** An aggregator on a data directory with one day of history behind it. */
async function siteWithHistory() {
  const data_dir = temporaryFolder();
  const model = smallModel();
  writeModelFile(join(data_dir, "models", `${model.id}.json`), model);
  const store = openSqliteStore(join(data_dir, "aggregator.db"), {
    flush_ms: 60_000,
    log: createLog("test", "silent"),
  });
  writeDay(store, Date.now());
  store.close();
  const env = { SKADI_DATA_DIR: data_dir, SKADI_HTTP_PORT: "0", SKADI_BROKER_PORT: "0" };
  const program = startProgram("aggregator", ["run", "--json"], env);
  const [line] = await program.says(/\{.*\}/);
  return { http_url: JSON.parse(line).http_url as string, data_dir };
}

describe.skipIf(!hasProgram("chromium"))("the report's page", () => {
  beforeAll(() => {
    mkdirSync(PICTURES, { recursive: true });
  });

  it("shows every section and picture in light and dark, asks for nothing else, and prints to A4", async () => {
    const { http_url } = await siteWithHistory();
    const browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, colorScheme: "light" });
    const problems = watchProblems(page);
    const others = watchRequests(page);
    const response = await page.goto(`${http_url}/report/judges.html`);
    expect([response?.status(), response?.headers()["content-type"]]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
    for (const name of SECTIONS)
      expect(await page.getByRole("heading", { name, exact: true }).count()).toBe(1);
    for (const picture of [
      /^Deviation D by rack/,
      /^Inlet temperature/,
      /^D over all racks/,
      /^Energy per prompt/,
    ]) {
      expect(await page.getByRole("img", { name: picture }).count()).toBe(1);
    }
    for (const picture of [/^Actions per step/, /^Saving by kind of action/, /^Persistent time by row/]) {
      expect(await page.getByRole("img", { name: picture }).count()).toBe(1);
    }
    expect(await page.locator("svg:not(:has(> title)), svg:not(:has(> desc))").count()).toBe(0);
    expect(await page.locator("table:not(:has(caption)), table:not(:has(th[scope=col]))").count()).toBe(0);
    expect(
      await page
        .getByRole("img", { name: /^Deviation D by rack/ })
        .locator("rect > title")
        .count(),
    ).toBe(72);
    expect(await page.locator("script, img, iframe").count()).toBe(0);
    await page.screenshot({ path: `${PICTURES}report-light.png`, fullPage: true });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: `${PICTURES}report-dark.png`, fullPage: true });

    // As wide as the paper: 210 mm less the margins, at 96 dots per inch.
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    await page.setViewportSize({ width: 703, height: 1_009 });
    expect(await page.evaluate(OVERFLOWING)).toEqual([]);
    await page.screenshot({ path: `${PICTURES}report-print.png`, fullPage: true });
    const pdf = await page.pdf({
      path: `${PICTURES}report.pdf`,
      preferCSSPageSize: true,
      printBackground: true,
    });
    expect(pdf.length).toBeGreaterThan(50_000);
    expect(pageCount(pdf)).toBeGreaterThanOrEqual(4);
    expect(pageCount(pdf)).toBeLessThanOrEqual(15);

    await page.emulateMedia({ media: "screen" });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    expect([problems, others]).toEqual([[], []]);
  }, 120_000);

  it("written by `skadi-aggregator report --html` opens from a file, with what was hostile in it as text", async () => {
    const { http_url, data_dir } = await siteWithHistory();
    const html = join(data_dir, "out", "report.html");
    const period = ["--from", new Date(Date.now() - 20 * 3_600_000).toISOString()];
    const written = await runProgram("aggregator", ["report", "--url", http_url, "--html", html, ...period]);
    expect([written.code, written.stdout]).toEqual([0, `Written to ${html}\n`]);
    expect(readFileSync(html, "utf8")).not.toMatch(/<script|<img|NaN|undefined|Infinity/);
    const browser = await openBrowser();
    const page = await browser.newPage();
    const problems = watchProblems(page);
    const others = watchRequests(page);
    await page.goto(pathToFileURL(html).href);
    expect(await page.getByText('<script>alert("x")</script>').count()).toBeGreaterThan(0);
    expect([problems, others]).toEqual([[], []]);
  }, 120_000);
});
