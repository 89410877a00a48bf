import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { openSqliteStore } from "../../aggregator/store/sqlite/sqlite-store.ts";
import type { RegisteredModel } from "../../shared/contracts/registry.ts";
import { Report } from "../../shared/contracts/report.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { HOSTILE, writeDay } from "../support/site-history.ts";
import { type TestSite, testSite } from "./aggregator-harness.ts";

// A day of 72 racks is written for most of these.
vi.setConfig({ testTimeout: 60_000 });

const EVERY_SECOND = "* * * * * *";
const NEVER = { report: "off", retrain: "off", retention: "off", rollups: "off", drift: "off" };
const HOUR_MS = 3_600_000;
/** What the site takes for now: ten hours after a midnight in UTC. */
const NOW = Date.UTC(2026, 2, 10, 10);

/** A site that was down after a day of operation, which ended at the midnight before `NOW`. */
async function siteAfterADay(schedules: object): Promise<TestSite> {
  const config = { schedules: { ...NEVER, ...schedules }, store: { raw_days: 7, rollup_days: 400 } };
  const site = await testSite({ config, clock: systemClock(1, NOW) });
  onTestFinished(() => site.close());
  await site.aggregator.stop();
  const file = join(site.data_dir, "aggregator.db");
  const store = openSqliteStore(file, { flush_ms: 60_000, log: createLog("test", "silent") });
  writeDay(store, NOW - 10 * HOUR_MS);
  store.close();
  return site;
}

async function schedule(site: TestSite, name: string) {
  const { body } = await site.get("/schedules");
  return body.schedules.find((entry: { name: string }) => entry.name === name);
}

it("the report of yesterday that is missing at the start is made then: JSON and page, with the day's figures", async () => {
  const site = await siteAfterADay({ report: "10 0 * * *" });
  const folder = join(site.data_dir, "reports");
  mkdirSync(folder);
  const old = ["2025-12-08.json", "2025-12-08.html"];
  for (const name of [...old, "2025-12-09.json", "notes.txt"]) writeFileSync(join(folder, name), "{}");
  await site.aggregator.start();
  const { last_run } = await eventually("the report", async () => {
    const entry = await schedule(site, "report");
    return entry.runs === 1 && entry;
  });
  expect(last_run).toMatchObject({ outcome: "ok", detail: expect.stringContaining("2026-03-09") });
  // 90 days are kept; what is not a report is left alone.
  expect(readdirSync(folder).sort()).toEqual([
    "2025-12-09.json",
    "2026-03-09.html",
    "2026-03-09.json",
    "notes.txt",
  ]);
  const report = Report.parse(JSON.parse(readFileSync(join(folder, "2026-03-09.json"), "utf8")));
  expect(report.period).toMatchObject({ from: "2026-03-09T00:00:00.000Z", to: "2026-03-10T00:00:00.000Z" });
  expect(report.period.live).toBe(false);
  expect(report.mms.racks).toHaveLength(12);
  for (const { rack_id, persistent_s } of report.mms.racks) {
    expect([rack_id.startsWith("R-C"), persistent_s]).toEqual([true, 2 * 3_600]);
  }
  expect(report.state.by_condition).toMatchObject({ nominal: 72 });
  expect(report.actions).toMatchObject({ in_period: 72, by_source: { optimizer: 60, guardrail: 12 } });
  expect(report.energy.wh_per_prompt).toBeCloseTo(0.59, 1);
  const page = readFileSync(join(folder, "2026-03-09.html"), "utf8");
  expect(page).not.toContain(HOSTILE);
  expect(page).toContain("&lt;script&gt;");
  await site.restart();
  expect(await schedule(site, "report")).toMatchObject({ runs: 1, running: false });
});

it("a day without telemetry has no report, which is no failure", async () => {
  const site = await testSite({ config: { schedules: { ...NEVER, report: EVERY_SECOND } } });
  onTestFinished(() => site.close());
  const { last_run } = await eventually("a run", async () => {
    const entry = await schedule(site, "report");
    return entry.runs > 0 && entry;
  });
  expect(last_run).toMatchObject({ outcome: "skipped", detail: expect.stringContaining("no telemetry of") });
  expect(existsSync(join(site.data_dir, "reports"))).toBe(false);
});

it("retraining makes a candidate of the stored telemetry, without what was persistent, and pushes nothing", async () => {
  const site = await siteAfterADay({ retrain: EVERY_SECOND });
  await site.aggregator.start();
  const before = (await site.get("/ims/models")).body;
  const { last_run } = await eventually(
    "a candidate",
    async () => {
      const entry = await schedule(site, "retrain");
      return entry.runs > 0 && entry;
    },
    45_000,
  );
  expect(last_run).toMatchObject({ outcome: "ok", detail: expect.stringContaining("Candidate ims_") });
  const { models } = (await site.get("/models")).body;
  const candidate = models.find((model: RegisteredModel) => model.lineage.source === "retrained");
  // 72 racks × 288 samples, of which the last quarter is held back; row C was persistent from hour 8 on, and from then
  // to the end of the day driven by its guardrails.
  expect(candidate.lineage.rows).toBe(72 * 216 - 12 * (216 - 96));
  expect((await site.get("/ims/models")).body.active).toBe(before.active);
  await site.restart();
  expect((await site.get("/ims/models")).body.active).toBe(before.active);
});

it("retention deletes what is older than it, and rollups follow the samples", async () => {
  const site = await siteAfterADay({ retention: EVERY_SECOND, rollups: EVERY_SECOND });
  await site.aggregator.start();
  await eventually("both to run", async () => {
    const entries = await Promise.all([schedule(site, "retention"), schedule(site, "rollups")]);
    return entries.every(({ runs, last_run }) => runs > 0 && last_run.outcome === "ok");
  });
  expect((await schedule(site, "retention")).last_run.detail).toBe("0 samples and 0 rollups deleted");
});

it("a report that cannot be written is a failure that GET /schedules and GET /health tell", async () => {
  const site = await siteAfterADay({ report: "10 0 * * *" });
  writeFileSync(join(site.data_dir, "reports"), "a file where the folder should be");
  await site.aggregator.start();
  await eventually("the failure", async () => (await schedule(site, "report")).failures === 1);
  const { body } = await site.get("/health");
  expect(body.problems).toEqual(expect.arrayContaining([expect.stringContaining("scheduled report failed")]));
});

it("an expression that makes no sense keeps the aggregator from starting, by name", async () => {
  const start = testSite({ config: { schedules: { report: "61 0 * * *" } } });
  await expect(start).rejects.toThrow(/schedules\.report/);
});
