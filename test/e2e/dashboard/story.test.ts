import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { hallLayout } from "../../../sim/demo/layout.ts";
import { trainPlantModel } from "../../../sim/site/plant-model.ts";
import { openDashboard, overflowPx, soon } from "../../support/dashboard.ts";
import { hasProgram } from "../../support/debian-packages.ts";
import { startDemo } from "../../support/demo.ts";
import { eventually } from "../../support/eventually.ts";

const RACK = "R-C-07";
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

it.skipIf(!hasProgram("chromium"))(
  "an operator starts a heat spike, finds its cause, approves what cools, takes the incident and promotes a model",
  async () => {
    const site = await startDemo({ speed: 30 });
    const { page, problems, pictures, violations } = await openDashboard(site.http_url);
    const open = async (name: string) => {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
    };
    const looked = async (name: string) => {
      expect(await violations(), name).toEqual([]);
      await pictures(name);
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await overflowPx(page), name).toBeLessThanOrEqual(0);
      await page.setViewportSize({ width: 1280, height: 900 });
    };
    const inlets = async () => {
      const row = (await site.overview()).rack_list.filter(({ rack_id }) => rack_id.startsWith("R-C-"));
      const others = row.filter(({ rack_id }) => rack_id !== RACK).map(({ inlet_c }) => inlet_c);
      return {
        rack_c: row.find(({ rack_id }) => rack_id === RACK)!.inlet_c,
        others_c: mean(others),
      };
    };

    await open("Scenarios");
    await page.getByRole("radio", { name: "2 h" }).check();
    await page.getByRole("button", { name: "Start Heat spike" }).click();
    await page.getByRole("button", { name: "Stop Heat spike" }).waitFor();
    await looked("scenarios");

    // Row C turns; the rack says why.
    await page.getByRole("navigation").getByRole("link", { name: "Site" }).click();
    await page.locator(".cell.persistent[id^='cell-R-C-']").nth(11).waitFor({ timeout: 90_000 });
    await page.locator(`#cell-${RACK}`).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `Rack ${RACK}` }).waitFor();
    await page
      .locator("article.situation")
      .getByText(/\d+\s% sure/)
      .waitFor();
    await eventually(`the inlet of ${RACK} at its limit`, async () => (await inlets()).rack_c >= 28, 120_000);

    // In advisory nothing was driven; what cools this rack is approved, one by one.
    await open("Optimizer");
    await looked("optimizer");
    await page.getByLabel("Advice for").selectOption(RACK);
    await page
      .getByRole("button", { name: new RegExp(`^Approve Low-priority work .* on ${RACK}$`) })
      .click({ timeout: 60_000 });
    const question = page.getByRole("dialog", { name: "Approve this change?" });
    await question.getByText(`on ${RACK}`).waitFor();
    await looked("approval");
    await question.getByRole("button", { name: "Approve" }).click();
    // Who changes the site says that they may.
    const token = page.getByRole("dialog", { name: "Operator's token" });
    await token.getByLabel("Token").fill(site.token);
    expect(await violations(), "token").toEqual([]);
    await token.getByRole("button", { name: "Use token" }).click();
    await page.locator(".toast.ok", { hasText: RACK }).first().waitFor();
    const applied = await eventually("the change to be driven", async () => {
      const { actions } = await site.get<{ actions: { rack_id: string; source: string; outcome: string }[] }>(
        "/actions/log?limit=500",
      );
      return actions.find((action) => action.source === "operator" && action.outcome === "applied");
    });
    expect(applied).toMatchObject({ rack_id: RACK, mode: "advisory" });
    // Readings are noisy, and the whole row may cool: this rack must have become cooler than its row, on average.
    await eventually(
      `the inlet of ${RACK} to fall below those of its row`,
      async () => {
        const below_c: number[] = [];
        for (let reading = 0; reading < 8; reading++) {
          const { rack_c, others_c } = await inlets();
          below_c.push(others_c - rack_c);
          await setTimeout(250);
        }
        return mean(below_c) > 1;
      },
      120_000,
    );
    await page.goto(`${site.http_url}/#/racks/${RACK}`);
    await page.getByRole("heading", { name: `Rack ${RACK}` }).waitFor();
    await looked("rack-cooled");

    await open("Incidents");
    await looked("incidents");
    await page.getByRole("button", { name: "Announce work" }).click();
    await page.getByRole("button", { name: "Announce", exact: true }).waitFor();
    await looked("maintenance");
    await page.getByRole("link", { name: /^Row C \(12 racks\)/ }).click();
    await page.getByText("What speaks for it").waitFor();
    await looked("incident");
    await page.getByLabel("Note").fill("low-priority work paused");
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("In hand").waitFor();
    await soon(() => page.locator(".timeline").textContent()).toMatch(
      /Acknowledged.*low-priority work paused/s,
    );

    // Another model has been trained meanwhile; it is brought to the racks, and compared.
    const model = await trainPlantModel({
      rack_ids: hallLayout(24).rack_ids,
      seed: 7,
      hours: 24,
      end_ms: Date.now(),
      onProgress: () => {},
    });
    expect((await site.post("/models", model)).status).toBe(200);
    await open("Models");
    await page.getByRole("button", { name: `Promote ${model.id}` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Promote" }).click();
    await page
      .getByRole("listitem")
      .filter({ hasText: /^Canary\s*\d+ racks?\s*(Offered|Under observation)/ })
      .waitFor({ timeout: 60_000 });
    await looked("models");
    await page.getByRole("link", { name: "Compare" }).first().click();
    await page.getByText("Same level").waitFor();
    await looked("diff");
    await page.goBack();
    await page.getByRole("link", { name: model.id }).first().click();
    await page.getByText("Where it came from").waitFor();
    await looked("model");

    // The refusal that made the page ask for the token is the only thing the browser complained of.
    expect(problems).toEqual([expect.stringContaining("401 (Unauthorized)")]);
  },
  400_000,
);
