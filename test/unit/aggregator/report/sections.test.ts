import { describe, expect, it } from "vitest";
import { actionsSection, attribution } from "../../../../aggregator/report/actions.ts";
import { deviationHistory } from "../../../../aggregator/report/deviations.ts";
import { energySection } from "../../../../aggregator/report/energy.ts";
import { incidentsSection } from "../../../../aggregator/report/incidents.ts";
import { mmsSection } from "../../../../aggregator/report/mms.ts";
import { timelineSection } from "../../../../aggregator/report/timeline.ts";
import type { StoredEvent } from "../../../../aggregator/store/store.ts";
import type { Action } from "../../../../shared/contracts/action.ts";
import type { ReportIncident } from "../../../../shared/contracts/report.ts";
import { isoTime } from "../../../../shared/time.ts";

const T0 = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY = { from_ms: T0, to_ms: T0 + 24 * HOUR_MS };

let events = 0;
const event = (hour: number, type: string, data: object, rack_id: string | null = "R-A-01"): StoredEvent => ({
  ...{ id: `e${events++}`, ts: isoTime(T0 + hour * HOUR_MS), type, rack_id, data: { ...data } },
});
const mms = (hour: number, state: string, rack_id = "R-A-01", more: object = {}) =>
  event(hour, "mms", { state, ...more }, rack_id);

const action = (id: string, changes: Partial<Action> = {}): Action => ({
  v: 1,
  id,
  ts: isoTime(T0 + HOUR_MS),
  rack_id: "R-A-01",
  source: "optimizer",
  kind: "optimize",
  target: "fan_rpm_pct",
  from: 65,
  to: 60,
  mode: "closed_loop",
  outcome: "applied",
  reason: "saves",
  inputs: {},
  ...changes,
});

describe("deviations", () => {
  const racks = Array.from({ length: 100 }, (_, i) => ({
    ts_ms: T0,
    rack_id: `R-A-${i}`,
    d_mean: (i + 1) / 40,
    d_max: (i + 1) / 20,
  }));

  it("are given per step as percentiles over the racks, with the racks at or above the thresholds", () => {
    const later = { ...racks[0]!, ts_ms: T0 + MINUTE_MS };
    const { steps } = deviationHistory([...racks, later], { tau_fast: 2, tau_persist: 2.4 });
    expect(steps).toHaveLength(2);
    expect(steps[0]).toMatchObject({ racks: 100, d_max: 2.5, above_fast: 21, above_persist: 5 });
    expect(steps[0]!.d_p50).toBeCloseTo(1.2625, 9);
    expect(steps[0]!.d_p90).toBeCloseTo(2.2525, 9);
    expect(steps[1]).toMatchObject({ racks: 1, d_p50: 0.025, d_p99: 0.025, above_fast: 0 });
  });

  it("name the racks with the highest mean D over the period, and how long they were above tau_fast", () => {
    const quiet = { ...racks[99]!, ts_ms: T0 + MINUTE_MS, d_mean: 2.2 };
    const { worst } = deviationHistory([...racks, quiet], { tau_fast: 2.3, tau_persist: 2.4 });
    expect(worst).toHaveLength(10);
    expect(worst[0]).toMatchObject({ rack_id: "R-A-98", above_fast_share: 1 });
    expect(worst.find(({ rack_id }) => rack_id === "R-A-99")).toMatchObject({
      d_mean: 2.35,
      above_fast_share: 0.5,
    });
  });

  it("without a model say nothing of thresholds, and without scores nothing at all", () => {
    const { steps, tau_fast } = deviationHistory(racks, null);
    expect([tau_fast, steps[0]!.above_fast]).toEqual([null, null]);
    expect(deviationHistory([], null)).toMatchObject({ steps: [], worst: [] });
  });
});

describe("energy", () => {
  const step = (energy_kwh: number, tokens: number, i = 0) => ({
    ...{ ts_ms: T0 + i * MINUTE_MS, racks: 1, energy_kwh, tokens, inlet_max_c: 23 },
    ...{ inlet_mean_c: 22, latency_mean_ms: 180, d_mean: 1, d_max: 2 },
  });
  const kpi = { tokens_per_prompt: 2_000, baseline_wh_per_prompt: 0.6 };

  it("per prompt is energy over prompts, in each step and over the period, against the baseline", () => {
    const { wh_per_prompt, saved_pct, steps } = energySection([step(1, 4e6), step(3, 4e6, 1)], kpi);
    expect(steps.map((s) => s.wh_per_prompt)).toEqual([0.5, 1.5]);
    expect(wh_per_prompt).toBe(1);
    expect(saved_pct).toBeCloseTo(-66.667, 2);
  });

  it("per prompt is unknown where nothing was served", () => {
    expect(energySection([step(1, 0)], kpi)).toMatchObject({
      energy_kwh: 1,
      wh_per_prompt: null,
      saved_pct: null,
    });
  });
});

describe("MMS over a period", () => {
  const racks = ["R-A-01", "R-A-02", "R-B-01"].map((rack_id) => ({
    ...{ rack_id, row: rack_id[2]!, persistent: false },
  }));

  it("adds up how long each rack and row was persistent", () => {
    const changes = [mms(1, "persistent"), mms(3, "transient"), mms(5, "persistent"), mms(6, "transient")];
    const section = mmsSection([...changes].reverse(), racks, DAY);
    expect(section).toMatchObject({ changes: 4, by_state: { persistent: 2, transient: 2 } });
    expect(section.racks).toEqual([{ rack_id: "R-A-01", times: 2, persistent_s: 3 * 3_600, share: 3 / 24 }]);
    expect(section.rows).toEqual([
      { row: "A", persistent_s: 3 * 3_600, share: 3 / 48 },
      { row: "B", persistent_s: 0, share: 0 },
    ]);
  });

  it.each([
    ["was so before it began", [mms(-5, "persistent"), mms(2, "transient")], false, 2],
    ["left it within, and before that nothing is on record", [mms(2, "transient")], false, 2],
    ["was so before it began, and still is", [mms(-5, "persistent")], true, 24],
    ["left it only after the end", [mms(30, "transient")], false, 24],
    ["became so at its end", [mms(23, "persistent")], true, 1],
    ["has been so longer than the record", [], true, 24],
    ["came to transient from nominal", [mms(2, "transient", "R-A-01", { from: "nominal" })], false, 0],
  ])("counts a rack that %s", (_, changes, persistent, hours) => {
    const { rows } = mmsSection(changes, [{ ...racks[0]!, persistent }], DAY);
    expect(rows[0]?.persistent_s).toBe(hours * 3_600);
  });

  it("counts a state that is neither transient nor persistent as the end of persistent", () => {
    const changes = [mms(1, "persistent"), mms(2, "recovering"), mms(3, "nominal")];
    expect(mmsSection(changes, racks, DAY).racks[0]).toMatchObject({ persistent_s: 3_600 });
  });
});

describe("actions and savings", () => {
  const actions = [
    action("a", { predicted_saving_kw: 0.5, realized_saving_kw: 0.4 }),
    action("b", { predicted_saving_kw: 0.3 }),
    action("c", { target: "pump_rpm_pct", predicted_saving_kw: 0.2, realized_saving_kw: 0.9 }),
    action("d", { source: "guardrail", kind: "pre_cool", outcome: "advised", ts: isoTime(T0 + 2 * HOUR_MS) }),
  ];

  it("are counted by source, kind, target and outcome, and per step", () => {
    const rollbacks = [event(1, "rollback", { action_id: "a", target: "fan_rpm_pct", worsened: "p95 rose" })];
    const history = { actions, total: 9, truncated: false, rollbacks };
    const section = actionsSection(history, [T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS], HOUR_MS);
    expect(section).toMatchObject({
      ...{ total: 9, in_period: 4, by_source: { optimizer: 3, guardrail: 1 } },
      ...{ by_kind: { optimize: 3, pre_cool: 1 }, by_target: { fan_rpm_pct: 3, pump_rpm_pct: 1 } },
      by_outcome: { applied: 3, advised: 1 },
    });
    expect(section.steps.map((step) => step.by_source)).toEqual([{}, { optimizer: 3 }, { guardrail: 1 }]);
    expect(section.rollbacks).toMatchObject([{ action_id: "a", target: "fan_rpm_pct", reason: "p95 rose" }]);
  });

  it("compare predicted with realized over those that were judged alone", () => {
    const history = { actions, total: 4, truncated: false, rollbacks: [] };
    const { judged, predicted_saving_kw } = actionsSection(history, [], HOUR_MS);
    expect(predicted_saving_kw).toBeCloseTo(1, 12);
    expect(judged.actions).toBe(2);
    expect(judged.predicted_kw).toBeCloseTo(0.7, 12);
    expect(judged.realized_kw).toBeCloseTo(1.3, 12);
  });

  it("are attributed to kind and target, the largest realized saving first, safety left out", () => {
    const groups = attribution(actions);
    expect(groups.map(({ target, actions: n, judged }) => [target, n, judged])).toEqual([
      ["pump_rpm_pct", 1, 1],
      ["fan_rpm_pct", 2, 1],
    ]);
    expect(groups[1]!.judged_predicted_saving_kw).toBeCloseTo(0.5, 12);
  });
});

const incident = (id: string, changes: Partial<ReportIncident> = {}): ReportIncident => ({
  ...{ id, opened_at: isoTime(T0 + HOUR_MS), closed_at: null, state: "open", scope: "row C", racks: [] },
  ...{ cause: "thermal_event", confidence: 0.9, summary: "row C is hot" },
  ...changes,
});

describe("incidents", () => {
  it("are counted by cause, and those still open", () => {
    const closed = incident("b", { closed_at: isoTime(T0 + 2 * HOUR_MS), cause: null });
    expect(incidentsSection([incident("a"), closed])).toMatchObject({
      ...{ total: 2, open: 1, by_cause: { thermal_event: 1, unknown: 1 } },
    });
  });
});

describe("the timeline", () => {
  it("merges events, actions and incidents: the most important first, among equals the newest", () => {
    const history = {
      events: [mms(1, "persistent"), mms(2, "persistent"), event(3, "mode", { mode: "closed_loop" }, null)],
      actions: [action("a"), action("g", { source: "guardrail", kind: "pre_cool" })],
      incidents: [incident("i")],
    };
    const { total, entries } = timelineSection(history);
    expect(total).toBe(6);
    expect(entries.map(({ type, ts }) => [type, ts.slice(11, 13)])).toEqual([
      ["mode", "03"],
      ["incident", "01"],
      ["mms", "02"],
      ["mms", "01"],
      ["action", "01"],
      ["action", "01"],
    ]);
    expect(entries[4]!.text).toBe("guardrail pre_cool, applied: fan_rpm_pct 65 → 60 (saves)");
  });

  it("has at most 100 entries, and of one kind and importance 25: the many do not hide the few", () => {
    const advised = Array.from({ length: 500 }, (_, i) => action(`a${i}`, { outcome: "advised" }));
    const { total, entries } = timelineSection({
      events: [mms(1, "persistent")],
      actions: advised,
      incidents: [],
    });
    expect([total, entries.length, entries[0]!.type]).toEqual([501, 26, "mms"]);
  });

  it("tells what became of models in words; a mere candidate comes last", () => {
    const model_id = "ims_1";
    const { entries } = timelineSection({
      events: [
        event(1, "model_stage", { model_id, stage: "candidate", reason: "trained: week.csv" }, null),
        event(2, "model_stage", { model_id, stage: "retired", reason: "rolled back" }, null),
        event(3, "model_pin", { scope: "C", model_id, pinned: true }, null),
        event(4, "model_pin", { scope: "C", model_id, pinned: false }, null),
        event(5, "model_keys", { key_id: "0123", by: "operator" }, null),
      ],
      actions: [],
      incidents: [],
    });
    expect(entries.map(({ text }) => text)).toEqual([
      "models and commands are signed by key 0123",
      "C is no longer pinned to ims_1",
      "C is pinned to ims_1",
      "model ims_1 is retired: rolled back",
      "model ims_1 is candidate: trained: week.csv",
    ]);
  });

  it("shows an event that it does not know with its data", () => {
    const { entries } = timelineSection({
      events: [event(1, "new_kind", { a: 1 })],
      actions: [],
      incidents: [],
    });
    expect(entries[0]!.text).toBe("new_kind: a 1");
  });
});
