import { expect, it } from "vitest";
import { openDashboard, overflowPx, soon } from "../../support/dashboard.ts";
import { hasProgram } from "../../support/debian-packages.ts";
import { startDemo } from "../../support/demo.ts";

it.skipIf(!hasProgram("chromium"))(
  "the site's page says what is wrong, where, why and what Skadi does, and leads to the rack and its reasons",
  async () => {
    const site = await startDemo({ speed: 40 });
    const { page, problems, pictures, violations } = await openDashboard(site.http_url);
    await page.getByText("No incident.").waitFor();
    await soon(() => page.locator(".cell").count()).toBe(72);

    // Given row C gets extra AI nodes, its incident answers the four questions.
    await site.post("/demo/scenario", { scenario: "heat_spike", duration_s: 3_600 });
    const incident = page.locator("article.situation", { hasText: "Row C (12 racks)" });
    await incident.waitFor({ timeout: 60_000 });
    await page.locator(".cell.persistent[id^='cell-R-C-']").nth(11).waitFor({ timeout: 60_000 });
    await soon(() => page.locator(".cell.persistent").count()).toBe(12);
    await incident
      .getByText(/above normal/)
      .first()
      .waitFor();
    await soon(() => incident.textContent()).toMatch(
      /Row C, 12 racks.*\d+\s% sure.*Advisory: drives nothing/s,
    );
    await incident.getByText("Advised").waitFor({ timeout: 30_000 });
    await soon(() => incident.textContent()).toMatch(/Up: .*(fan|pump)/);
    await soon(() => page.getByRole("link", { name: /Incidents/ }).textContent()).toContain("1");

    // The floor shows another quantity, and is walked through by arrow keys.
    await page.getByRole("radio", { name: "Outlet" }).check();
    await page.locator("#cell-R-C-06[aria-label*='Outlet']").focus();
    for (const key of ["ArrowRight", "ArrowDown", "ArrowUp"]) await page.keyboard.press(key);
    await soon(() => page.evaluate("document.activeElement.id")).toBe("cell-R-C-07");
    await page.locator(".glance", { hasText: "R-C-07" }).waitFor();
    expect(await violations()).toEqual([]);
    await pictures("site");

    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Rack R-C-07" }).waitFor();
    await page.getByRole("img", { name: /^Inlet: now .* from .* limit 28/ }).waitFor();
    await page.getByRole("img", { name: /^Deviation D: now .* fast .* persist/ }).waitFor();
    await soon(() => page.locator(".plot canvas").count()).toBe(8);
    await soon(() => page.locator(".shares").textContent()).toMatch(/\d+\s%.*σ above the mean/s);
    await page.getByText("Guardrail would act").waitFor();
    await page.getByText("9 of 9 good").waitFor();
    await page
      .getByRole("link", { name: /Row C \(12 racks\)/ })
      .first()
      .waitFor();
    expect(await violations()).toEqual([]);
    await pictures("rack");

    // Explain: what the decision rests on. Escape leads back to where one was.
    const explain = page.getByRole("button", { name: "Explain", exact: true });
    await explain.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Inlet, hottest").waitFor();
    await dialog.getByText("The mode was advisory, so that nothing was driven.").waitFor();
    expect(await violations()).toEqual([]);
    await page.screenshot({
      path: new URL("../../../test-results/dashboard-explain.png", import.meta.url).pathname,
    });
    await page.keyboard.press("Escape");
    await soon(() => dialog.count()).toBe(0);
    await page.locator("button:focus", { hasText: "Explain" }).waitFor();

    await page.setViewportSize({ width: 390, height: 844 });
    expect(await overflowPx(page)).toBeLessThanOrEqual(0);
    await page.keyboard.press("s");
    await page.locator("#cell-R-A-01").waitFor();
    expect(await overflowPx(page)).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
  },
  240_000,
);
