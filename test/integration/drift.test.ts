import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { openSqliteStore } from "../../aggregator/store/sqlite/sqlite-store.ts";
import { DriftReport, RetrainingReport } from "../../shared/contracts/drift.ts";
import type { Incident } from "../../shared/contracts/incident.ts";
import type { ScheduleReport } from "../../shared/contracts/schedule.ts";
import { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { createLog } from "../../shared/log.ts";
import { isoTime, systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { DAY_MS, HOUR_MS, operation, operationModel, type Warmth } from "../support/operation.ts";
import { runProgram } from "../support/program.ts";
import { type TestSite, testSite } from "./aggregator-harness.ts";

// Days of telemetry are written, and candidates trained on them.
vi.setConfig({ testTimeout: 120_000 });

const EVERY_SECOND = "* * * * * *";
const NEVER = { report: "off", retrain: "off", retention: "off", rollups: "off", drift: "off" };
const RACKS = ["R-A-01", "R-A-02", "R-A-03", "R-B-01", "R-B-02", "R-B-03"];
const STEP_MS = 60_000;
const START_MS = Date.UTC(2026, 2, 10);
/** Of the operation that the model was trained on. */
const model = operationModel(RACKS, START_MS - 30 * DAY_MS);

interface HallSite extends TestSite {
  /** Lets days of operation go by while the aggregator is down, and starts it again. */
  live(days: number, warmth?: (rack_id: string) => Warmth, incidents?: readonly Incident[]): Promise<void>;
}

async function hall(config: { schedules?: object; drift?: object; retraining?: object }): Promise<HallSite> {
  const base = systemClock(1, START_MS);
  let skipped_ms = 0;
  const clock = { ...base, now: () => base.now() + skipped_ms };
  const site = await testSite({
    model,
    clock,
    config: { rows: ["A", "B"], racks_per_row: 3, ...config, schedules: { ...NEVER, ...config.schedules } },
  });
  onTestFinished(() => site.close());
  return {
    ...site,
    async live(days, warmth = () => ({}), incidents = []) {
      await site.aggregator.stop();
      const from_ms = START_MS + skipped_ms;
      skipped_ms += days * DAY_MS;
      const log = createLog("test", "silent");
      const store = openSqliteStore(join(site.data_dir, "aggregator.db"), { flush_ms: 60_000, log });
      for (const rack_id of RACKS) {
        const span = { from_ms, to_ms: from_ms + days * DAY_MS, step_ms: STEP_MS };
        const { x, ts_ms } = operation(rack_id, span, () => warmth(rack_id));
        for (let i = 0; i < ts_ms.length; i++) {
          const of = (feature: (typeof FEATURES)[number]) =>
            x[i * FEATURES.length + FEATURES.indexOf(feature)]!;
          const sample = TelemetrySample.parse({
            ...{ ts: isoTime(ts_ms[i]!), rack_id, seq: ts_ms[i], interval_s: STEP_MS / 1000 },
            ...{ inlet_c: of("inlet_c"), outlet_c: of("outlet_c"), pdu_kw: of("pdu_kw") },
            gpu_energy_j: of("gpu_power_kw") * STEP_MS,
            ...{ tokens_ps: of("tokens_ps"), latency_p95_ms: of("latency_p95_ms") },
            queue_depth: of("queue_depth"),
            ...{ fan_rpm_pct: Math.min(100, of("fan_rpm_pct")), pump_rpm_pct: of("pump_rpm_pct") },
          });
          store.samples.add(sample, { received_ms: ts_ms[i]!, late: false });
        }
      }
      for (const incident of incidents) store.incidents.put(incident);
      store.close();
      await site.aggregator.start();
    },
  };
}

const drift = async (site: TestSite) => {
  const { status, body } = await site.get("/drift");
  expect(status).toBe(200);
  return body as { drift: DriftReport | null; retraining: RetrainingReport | null };
};

const closedIncident = (id: string, rack_id: string, from_ms: number, to_ms: number): Incident => ({
  ...{ v: 1, id, scope: "rack", row: rack_id.split("-")[1]!, status: "closed", severity: "warning" },
  ...{ title: "test", opened_at: isoTime(from_ms), updated_at: isoTime(to_ms), closed_at: isoTime(to_ms) },
  ...{ closed_by: "skadi", acknowledged_by: null, maintenance: false, judged: null, reopened: 0 },
  ...{ merged_into: null, verdict: null, timeline: [] },
  racks: [
    {
      ...{ rack_id, since: isoTime(from_ms), recovered_at: isoTime(to_ms), sensors: [], verdict: null },
      scores: { count: 1, log_d_mean: 0 },
    },
  ],
});

/** `skadi-aggregator drift`, as a user would have it. */
const cli = (site: TestSite, ...args: string[]) =>
  runProgram("aggregator", ["drift", ...args], { env: { SKADI_URL: site.aggregator.http_url } });

/** What GET /drift says once it fits. */
const driftOnce = (
  site: TestSite,
  what: string,
  fits: (answer: Awaited<ReturnType<typeof drift>>) => unknown,
) =>
  eventually(
    what,
    async () => {
      const answer = await drift(site);
      return fits(answer) ? answer : null;
    },
    60_000,
  );

it("a site without a model is left without one: the first is for people to choose", async () => {
  const site = await testSite({ model: null, config: { schedules: { ...NEVER, retrain: EVERY_SECOND } } });
  onTestFinished(() => site.close());
  const { last_run } = await eventually("a run", async () => {
    const { schedules } = (await site.get("/schedules")).body;
    return schedules.find(({ name, runs }: ScheduleReport) => name === "retrain" && runs > 0);
  });
  expect(last_run).toMatchObject({ outcome: "skipped", detail: "no model in force to compete with" });
});

it("before anything was checked, GET /drift says that it knows nothing", async () => {
  const site = await hall({});
  expect(await drift(site)).toEqual({ drift: null, retraining: null });
  const { code, stdout } = await cli(site);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^The model in force has not been checked yet .*\n$/),
  ]);
});

it("a season is found, told, and answered by a candidate that nobody runs before somebody promotes it", async () => {
  const site = await hall({ schedules: { drift: EVERY_SECOND }, drift: { retrain_after: 2 } });
  await site.live(1);
  const { drift: calm } = await driftOnce(
    site,
    "a check of the first day",
    ({ drift }) => drift?.level === "none",
  );
  expect(DriftReport.parse(calm)).toMatchObject({ model_id: model.id, major_in_a_row: 0 });
  expect(calm!.summary[0]).toContain(
    "The site runs as it did in what the model was trained on: 6 racks, 24 hours",
  );

  await site.live(3, () => ({ season_k: 1.5 }));
  const { drift: warm, retraining } = await driftOnce(site, "a retraining", (answer) => answer.retraining);
  expect(warm).toMatchObject({ level: "major", racks: expect.arrayContaining([]) });
  expect(warm!.summary.join(" ")).toMatch(/major drift .*inlet_c is .*6 of 6 racks drift/);
  const report = RetrainingReport.parse(retraining);
  expect(report).toMatchObject({
    trigger: "drift",
    promoted: false,
    site: { offered: true, champion_id: model.id, figures: { false_alarms: 0 } },
  });
  expect(report.site.champion.false_alarms).toBeGreaterThan(0);

  const { body } = await site.get("/models");
  expect(body.active).toBe(model.id);
  const [candidate] = body.models.filter((one: { sha256: string }) => one.sha256 === report.site.sha256);
  expect(candidate).toMatchObject({
    stage: "candidate",
    lineage: { source: "retrained", parent_id: model.id, rows: report.site.rows, data: "stored telemetry" },
  });
  const { rollouts } = (await site.get("/rollouts")).body;
  expect(rollouts.map((rollout: { model_id: string }) => rollout.model_id)).toEqual([model.id]);
  // A retraining for drift is not repeated at every check that still finds it.
  const checks = warm!.major_in_a_row;
  await driftOnce(site, "two more checks", (answer) => answer.drift!.major_in_a_row >= checks + 2);
  expect((await drift(site)).retraining!.at).toBe(report.at);

  const told = await cli(site);
  expect(told.code).toBe(0);
  expect(told.stdout).toMatch(/^■ major .*\n.*checked .*\nThe site's operation shows major drift/);
  expect(told.stdout).toMatch(/\nsite +■ major +model +24 +.*inlet_c [\d.]+ \(2\d\.\d\d → 2\d\.\d\d\)/);
  expect(told.stdout).toMatch(/\nrow A .*\nrow B .*\nR-A-01 +■ major +baseline/);
  expect(told.stdout).toContain(`→ skadi-aggregator models promote ${report.site.model_id} --watch`);
  const { retraining: as_json } = JSON.parse((await cli(site, "--json")).stdout);
  expect(as_json).toEqual(report);

  await site.restart();
  expect((await site.get("/models")).body.active).toBe(model.id);
  expect((await drift(site)).retraining).toEqual(report);
});

it("a candidate that changes nothing is kept as retired, with the reason", async () => {
  const site = await hall({ schedules: { retrain: EVERY_SECOND }, retraining: { per_row: false } });
  await site.live(3);
  const { retraining } = await driftOnce(site, "a retraining", (answer) => answer.retraining);
  expect(retraining).toMatchObject({ trigger: "schedule", site: { offered: false } });
  const { body } = await site.get("/models");
  const rejected = body.models.find((one: { sha256: string }) => one.sha256 === retraining!.site.sha256);
  expect(rejected).toMatchObject({ stage: "retired" });
  // Never a candidate, not even for the moment in which the aggregator may die.
  expect(rejected.history).toEqual([
    expect.objectContaining({
      ...{ stage: "retired", by: "schedule" },
      reason: expect.stringMatching(/^not offered: no better than the active model/),
    }),
  ]);
});

it("where the configuration says so, a winner is rolled out by itself, through the gates", async () => {
  const site = await hall({
    schedules: { drift: EVERY_SECOND },
    drift: { retrain_after: 1 },
    retraining: { auto_promote: true },
  });
  await site.live(3, () => ({ season_k: 1.5 }));
  const { retraining } = await driftOnce(site, "a retraining", (answer) => answer.retraining);
  expect(retraining).toMatchObject({ promoted: true });
  const { rollouts } = (await site.get("/rollouts")).body;
  expect(rollouts[0]).toMatchObject({
    ...{ gated: true, by: "retraining", model_id: retraining!.site.model_id },
    reason: expect.stringContaining("auto_promote"),
  });
});

it("what nobody judged is learnt by a candidate of its own, which nothing but people bring to a rack", async () => {
  const site = await hall({
    schedules: { retrain: EVERY_SECOND },
    retraining: { auto_promote: true, per_row: false, holdback_h: 24 },
  });
  // Every day at the height of the load, on every rack, and over before the aggregator is back.
  const alarms = [0, 1, 2, 3].flatMap((day) =>
    RACKS.map((rack_id) => {
      const since = START_MS + day * DAY_MS + 4 * HOUR_MS;
      return closedIncident(`${rack_id}-${day}`, rack_id, since, since + 4 * HOUR_MS);
    }),
  );
  await site.live(4, () => ({ season_k: 1.5 }), alarms);
  const { retraining } = await driftOnce(site, "a retraining", (answer) => answer.retraining);
  const { unjudged, summary, site: plain, promoted } = RetrainingReport.parse(retraining);
  expect(unjudged).toMatchObject({ offered: true, racks: RACKS.length, champion_id: plain.model_id });
  expect(summary.join(" ")).toMatch(
    /_unjudged also learnt \d+ % of the time .*Promote it instead only if those were false alarms/,
  );
  expect(promoted).toBe(true);
  const { rollouts } = (await site.get("/rollouts")).body;
  const rolled_out = rollouts.map((rollout: { model_id: string }) => rollout.model_id);
  expect(rolled_out[0]).toBe(plain.model_id);
  expect(rolled_out).not.toContain(unjudged!.model_id);
  const { models } = (await site.get("/models")).body;
  const candidate = models.find((one: { sha256: string }) => one.sha256 === unjudged!.sha256);
  expect(candidate).toMatchObject({ stage: "candidate", lineage: { source: "retrained" } });
  expect((await cli(site)).stdout).toContain(`→ skadi-aggregator models promote ${unjudged!.model_id}`);
});

it("what people called maintenance or an incident is neither compared nor learnt from", async () => {
  const site = await hall({
    schedules: { retrain: EVERY_SECOND, drift: EVERY_SECOND },
    drift: { retrain_after: 0 },
  });
  const plan = {
    ...{
      row: "B",
      from: isoTime(START_MS),
      to: isoTime(START_MS + 3 * DAY_MS + HOUR_MS),
      reason: "new tiles",
    },
  };
  expect((await site.post("/maintenance", plan, { token: true })).status).toBeLessThan(300);
  await site.live(3, (rack_id) => (rack_id.startsWith("R-B") ? { season_k: 3 } : {}));
  const answer = await driftOnce(site, "both", ({ drift, retraining }) => drift && retraining);
  expect(answer.drift!.excluded_share).toBeCloseTo(0.5, 1);
  expect(answer.drift!.racks.map(({ name }) => name)).toEqual(RACKS.slice(0, 3));
  expect(answer.drift!.summary.join(" ")).toContain("50 % of the time was left out");
  expect(answer.retraining!.excluded_share).toBeCloseTo(0.5, 1);
  expect(answer.retraining!.site.offered).toBe(false);
});
