import { describe, expect, it } from "vitest";
import type { Store } from "../../../aggregator/store/store.ts";
import type { Action } from "../../../shared/contracts/action.ts";
import type { Incident } from "../../../shared/contracts/incident.ts";
import type { Lineage, RegisteredModel, StageChange } from "../../../shared/contracts/registry.ts";
import type { Score } from "../../../shared/contracts/score.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { isoTime } from "../../../shared/time.ts";

const T0 = Date.UTC(2026, 0, 1, 12);

export function telemetry(rack_id: string, seq: number, changes: object = {}): TelemetrySample {
  return TelemetrySample.parse({
    ts: isoTime(T0 + seq * 5_000),
    rack_id,
    seq,
    interval_s: 5,
    inlet_c: 22,
    outlet_c: 35,
    pdu_kw: 8,
    gpu_energy_j: 28_000,
    tokens_ps: 8_000,
    latency_p95_ms: 180,
    queue_depth: 30,
    fan_rpm_pct: 65,
    pump_rpm_pct: 55,
    ...changes,
  });
}

export function score(rack_id: string, seq: number, d: number): Score {
  return {
    v: 1,
    ts: isoTime(T0 + seq * 5_000),
    rack_id,
    seq,
    d,
    tau_fast: 2,
    tau_persist: 2.5,
    cluster: 1,
    contributions: { inlet_c: 0.75, pdu_kw: 0.25 },
    missing: [],
    model_id: "ims_test",
    state: "nominal",
    scored_by: "agent",
  };
}

const action = (id: string, ts_ms: number, changes: Partial<Action> = {}): Action => ({
  v: 1,
  id,
  ts: isoTime(ts_ms),
  rack_id: "R-A-01",
  source: "guardrail",
  kind: "pre_cool",
  target: "fan_rpm_pct",
  from: null,
  to: 80,
  mode: "advisory",
  outcome: "advised",
  reason: "test",
  inputs: { d: 2.3 },
  ...changes,
});

const LINEAGE: Lineage = {
  source: "trained",
  data: "week.csv",
  data_sha256: "a".repeat(64),
  from: isoTime(T0 - 1_000),
  to: isoTime(T0),
  rows: 1_000,
  code_version: "0.1.0",
  parameters: { clusters: 8, seed: 42 },
  report: null,
  parent_id: null,
};

const in_order = { received_ms: T0, late: false };
const filter = (ema: number) => ({ state: "transient" as const, ema, above: 1, below: 0 });

/** What every store must do. `reopen` closes the store and opens it again on what it left behind. */
export function storeSuite(name: string, open: () => { store: Store; reopen(): Store }): void {
  describe(`${name}: samples`, () => {
    it("are paged through in the order of time, rack and seq, each once, flushed or not", () => {
      const { store } = open();
      const all = [];
      for (let seq = 1; seq <= 5; seq++) {
        for (const rack_id of ["R-A-02", "R-A-01"]) {
          store.samples.add(telemetry(rack_id, seq), in_order);
          all.push(`${seq} ${rack_id}`);
        }
      }
      const to_ms = T0 + 5 * 5_000;
      const found = [];
      let after = null;
      for (let page = store.samples.page(T0, to_ms, null, 3); page.length > 0; ) {
        found.push(...page.map(({ sample }) => `${sample.seq} ${sample.rack_id}`));
        const { sample, ts_ms } = page.at(-1)!;
        after = { ts_ms, rack_id: sample.rack_id, seq: sample.seq };
        page = store.samples.page(T0, to_ms, after, 3);
      }
      // The last instant lies at the end of the range, which is not part of it.
      expect(found).toEqual(all.filter((place) => !place.startsWith("5")).sort());
      store.close();
    });

    it("are found by rack and seq at once, and after a reopening", () => {
      const { store, reopen } = open();
      store.samples.add(telemetry("R-A-01", 1), in_order);
      expect(store.samples.find("R-A-01", 1)).toEqual({ late: false, scored: false });
      expect(store.samples.find("R-A-01", 2)).toBeNull();
      expect(store.samples.find("R-A-02", 1)).toBeNull();
      const again = reopen();
      expect(again.samples.find("R-A-01", 1)).toEqual({ late: false, scored: false });
      again.close();
    });

    it("come back as they were, holes and qualities included, with score and filter", () => {
      const { store, reopen } = open();
      const sample = telemetry("R-A-01", 1, { inlet_c: null, quality: { fan_rpm_pct: "suspect" } });
      store.samples.add(sample, in_order);
      store.samples.attachScore(score("R-A-01", 1, 1.5), filter(1.5));
      const entry = {
        sample,
        ts_ms: T0 + 5_000,
        received_ms: T0,
        score: score("R-A-01", 1, 1.5),
        mms: filter(1.5),
      };
      expect(store.samples.latest("R-A-01")).toEqual(entry);
      const again = reopen();
      expect(again.samples.latest("R-A-01")).toEqual(entry);
      again.close();
    });

    it("know the last in-order sample and the last that MMS saw", () => {
      const { store } = open();
      store.samples.add(telemetry("R-A-01", 5), in_order);
      store.samples.attachScore(score("R-A-01", 5, 1), filter(1));
      store.samples.add(telemetry("R-A-01", 6), in_order);
      store.samples.add(telemetry("R-A-01", 4), { received_ms: T0 + 1, late: true });
      store.samples.attachScore(score("R-A-01", 4, 9), null);
      expect(store.samples.latest("R-A-01")?.sample.seq).toBe(6);
      expect(store.samples.latestMms("R-A-01")?.mms?.ema).toBe(1);
      expect(store.samples.find("R-A-01", 4)).toEqual({ late: true, scored: true });
      store.close();
    });

    it("list scores newest first", () => {
      const { store } = open();
      for (const seq of [1, 2, 3]) {
        store.samples.add(telemetry("R-A-01", seq), in_order);
        store.samples.attachScore(score("R-A-01", seq, seq), null);
      }
      expect(store.samples.recentScores(2).map(({ seq }) => seq)).toEqual([3, 2]);
      store.close();
    });

    it("know how far back they go", () => {
      const { store } = open();
      expect(store.samples.oldestMs()).toBeNull();
      for (const seq of [2, 1, 3]) store.samples.add(telemetry("R-A-01", seq), in_order);
      expect(store.samples.oldestMs()).toBe(T0 + 5_000);
      store.close();
    });

    it("give each rack's last sample before an instant, within a time", () => {
      const { store } = open();
      for (const seq of [1, 2, 3]) store.samples.add(telemetry("R-A-01", seq), in_order);
      store.samples.add(telemetry("R-A-02", 1), in_order);
      const at = (seq: number, within_ms: number) =>
        store.samples.at(T0 + seq * 5_000, within_ms).map((e) => [e.sample.rack_id, e.sample.seq]);
      expect(at(2, 60_000)).toEqual([["R-A-01", 2], ["R-A-02", 1]]); // biome-ignore format: one row per rack
      expect(at(3, 1_000)).toEqual([["R-A-01", 3]]);
      store.close();
    });

    it("give means of one rack over a time", () => {
      const { store } = open();
      for (const [seq, pdu_kw] of [
        [1, 6],
        [2, 8],
        [3, 10],
      ] as const) {
        // biome-ignore format: pairs
        store.samples.add(telemetry("R-A-01", seq, { pdu_kw }), in_order);
      }
      expect(store.samples.means("R-A-01", T0 + 5_000, T0 + 15_000)).toMatchObject({ samples: 2, pdu_kw: 9 });
      expect(store.samples.means("R-A-02", T0, T0 + 15_000)).toBeNull();
      store.close();
    });
  });

  describe(`${name}: one rack's course`, () => {
    it("its samples and steps of minutes in a window, oldest first, without those of other racks", () => {
      const { store } = open();
      for (let seq = 0; seq < 24; seq++) {
        store.samples.add(telemetry("R-A-01", seq, { inlet_c: 20 + seq }), in_order);
        store.samples.add(telemetry("R-A-02", seq), in_order);
      }
      store.samples.attachScore(score("R-A-01", 3, 1.5), filter(1.4));
      const samples = store.samples.ofRack("R-A-01", T0 + 10_000, T0 + 25_000);
      expect(samples.map(({ sample }) => sample.inlet_c)).toEqual([23, 24, 25]);
      expect(samples[0]).toMatchObject({ score: { d: 1.5 }, mms: { ema: 1.4 } });
      const steps = (from_ms: number, to_ms: number, step_ms: number) =>
        store.rollups
          .ofRack("R-A-01", from_ms, to_ms, step_ms)
          .map(({ ts_ms, mean, d_mean }) => [ts_ms - T0, mean.inlet_c, d_mean]);
      expect(steps(T0, T0 + 120_000, 60_000)).toEqual([
        [0, 25.5, 1.5],
        [60_000, 37.5, null],
      ]);
      expect(steps(T0 - 3_600_000, T0 + 3_600_000, 600_000)).toEqual([[0, 31.5, 1.5]]);
      expect(steps(T0 + 1, T0 + 60_001, 60_000)).toHaveLength(1);
      expect(steps(T0 + 60_000, T0, 60_000)).toEqual([]);
      expect(store.samples.ofRack("R-B-01", 0, T0 + 1e9)).toEqual([]);
      store.close();
    });

    it("its actions since an instant, newest first", () => {
      const { store } = open();
      store.actions.put(action("old", T0 - 1));
      store.actions.put(action("one", T0));
      store.actions.put(action("other", T0 + 1, { rack_id: "R-A-02" }));
      store.actions.put(action("two", T0 + 2));
      expect(store.actions.ofRack("R-A-01", T0, 10).map(({ id }) => id)).toEqual(["two", "one"]);
      expect(store.actions.ofRack("R-A-01", T0, 1).map(({ id }) => id)).toEqual(["two"]);
      store.close();
    });
  });

  describe(`${name}: rollups`, () => {
    it("sum up a rack's minute: mean, maximum, energy and tokens", () => {
      const { store } = open();
      for (let seq = 0; seq < 12; seq++) {
        store.samples.add(telemetry("R-A-01", seq, { inlet_c: 20 + seq }), in_order);
        store.samples.attachScore(score("R-A-01", seq, seq), null);
      }
      const [minute] = store.rollups.minute(T0 + 30_000);
      expect(minute).toMatchObject({ rack_id: "R-A-01", samples: 12, d_mean: 5.5, d_max: 11 });
      expect(minute?.mean.inlet_c).toBeCloseTo(25.5, 9);
      expect(minute?.max.inlet_c).toBe(31);
      expect(minute?.energy_kwh).toBeCloseTo(8 / 60, 9);
      expect(minute?.tokens).toBe(8_000 * 60);
      store.close();
    });

    it("take late samples and late scores in", () => {
      const { store } = open();
      store.samples.add(telemetry("R-A-01", 2), in_order);
      expect(store.rollups.minute(T0)[0]).toMatchObject({ samples: 1, d_max: null });
      store.samples.add(telemetry("R-A-01", 1), { received_ms: T0, late: true });
      store.samples.attachScore(score("R-A-01", 1, 3), null);
      expect(store.rollups.minute(T0)[0]).toMatchObject({ samples: 2, d_max: 3 });
      store.close();
    });

    it("know how far back they go", () => {
      const { store } = open();
      expect(store.rollups.oldestMs()).toBeNull();
      for (const seq of [30, 15]) store.samples.add(telemetry("R-A-01", seq), in_order);
      expect(store.rollups.oldestMs()).toBe(T0 + 60_000);
      store.close();
    });

    it("give the site in steps", () => {
      const { store } = open();
      for (let seq = 0; seq < 36; seq++) store.samples.add(telemetry("R-A-01", seq), in_order);
      const by_minute = store.rollups.timeline(T0, T0 + 180_000, 60_000);
      expect(by_minute.map((step) => step.ts_ms - T0)).toEqual([0, 60_000, 120_000]);
      const whole = store.rollups.timeline(T0, T0 + 180_000, 3_600_000);
      expect(whole).toHaveLength(1);
      expect(whole[0]?.energy_kwh).toBeCloseTo((8 * 3) / 60, 9);
      store.close();
    });

    it("give each rack's D in steps; racks without one are left out", () => {
      const { store } = open();
      for (let seq = 0; seq < 24; seq++) {
        store.samples.add(telemetry("R-A-01", seq), in_order);
        store.samples.attachScore(score("R-A-01", seq, seq < 12 ? 1 : 3), null);
        store.samples.add(telemetry("R-A-02", seq), in_order);
      }
      const by_minute = store.rollups.deviations(T0, T0 + 120_000, 60_000);
      expect(by_minute).toEqual([
        { ts_ms: T0, rack_id: "R-A-01", d_mean: 1, d_max: 1 },
        { ts_ms: T0 + 60_000, rack_id: "R-A-01", d_mean: 3, d_max: 3 },
      ]);
      expect(store.rollups.deviations(T0, T0 + 120_000, 3_600_000)).toMatchObject([{ d_mean: 2, d_max: 3 }]);
      store.close();
    });

    it("outlive the raw samples, and a straggler does not overwrite the minute it belonged to", () => {
      const { store } = open();
      for (let seq = 0; seq < 12; seq++) store.samples.add(telemetry("R-A-01", seq), in_order);
      expect(store.prune(T0 + 60_000, 0)).toMatchObject({ samples: 12 });
      expect(store.samples.latest("R-A-01")).toBeNull();
      store.samples.add(telemetry("R-A-01", 100, { ts: isoTime(T0 + 1_000) }), in_order);
      expect(store.rollups.minute(T0)[0]).toMatchObject({ samples: 12 });
      store.close();
    });
  });

  describe(`${name}: actions, events, settings, models`, () => {
    it("keep one version of an action, newest actions first", () => {
      const { store, reopen } = open();
      store.actions.put(action("a", T0));
      store.actions.put(action("b", T0 + 1));
      store.actions.put(action("a", T0, { outcome: "applied" }));
      expect(store.actions.recent(10).map(({ id }) => id)).toEqual(["b", "a"]);
      const again = reopen();
      expect(again.actions.get("a")).toEqual(action("a", T0, { outcome: "applied" }));
      expect(again.actions.count()).toBe(2);
      again.close();
    });

    it("find each device's newest action of an outcome, however much happened since", () => {
      const { store, reopen } = open();
      const pump = { target: "pump_rpm_pct" as const };
      const site = { rack_id: null, target: "supply_c" as const };
      const applied = { outcome: "applied" as const };
      store.actions.put(action("old", T0, applied));
      store.actions.put(action("fan", T0 + 1, applied));
      store.actions.put(action("late", T0 - 1, applied));
      store.actions.put(action("pump", T0, { ...pump, ...applied }));
      store.actions.put(action("supply", T0, { ...site, ...applied }));
      store.actions.put(action("sent", T0 + 2, { outcome: "sent" }));
      for (let n = 0; n < 10; n++) store.actions.put(action(`advised-${n}`, T0 + 3 + n));
      const idsOf = (from: Store, outcome: Action["outcome"]) =>
        from.actions
          .newestPerDevice(outcome)
          .map(({ id }) => id)
          .sort();
      expect(idsOf(store, "applied")).toEqual(["fan", "pump", "supply"]);
      store.actions.put(action("fan", T0 + 1, { outcome: "refused" }));
      const again = reopen();
      expect(idsOf(again, "applied")).toEqual(["old", "pump", "supply"]);
      expect(idsOf(again, "sent")).toEqual(["sent"]);
      again.close();
    });

    it("find actions by time, newest first; the end is not included", () => {
      const { store } = open();
      for (const [i, id] of ["a", "b", "c", "d"].entries()) store.actions.put(action(id, T0 + i));
      expect(store.actions.between(T0 + 1, T0 + 3, 10).map(({ id }) => id)).toEqual(["c", "b"]);
      expect(store.actions.between(T0, T0 + 9, 1).map(({ id }) => id)).toEqual(["d"]);
      store.close();
    });

    it("find events by time, newest first", () => {
      const { store } = open();
      for (const [i, type] of ["mms", "mode", "model"].entries()) {
        store.events.add({ id: type, ts: isoTime(T0 + i), type, rack_id: null, data: { i } });
      }
      expect(store.events.between(T0, T0 + 1, 10).map(({ type }) => type)).toEqual(["mode", "mms"]);
      expect(store.events.between(T0, T0 + 9, 10, ["mms", "model"]).map(({ id }) => id)).toEqual([
        "model",
        "mms",
      ]);
      expect(store.events.between(T0, T0 + 9, 1)).toEqual([
        { id: "model", ts: isoTime(T0 + 2), type: "model", rack_id: null, data: { i: 2 } },
      ]);
      store.close();
    });

    it("remember settings over a reopening; unknown ones are undefined", () => {
      const { store, reopen } = open();
      store.settings.put("mode", { mode: "closed_loop" });
      expect(store.settings.get("mode")).toEqual({ mode: "closed_loop" });
      const again = reopen();
      expect(again.settings.get("mode")).toEqual({ mode: "closed_loop" });
      expect(again.settings.get("other")).toBeUndefined();
      again.close();
    });

    it("keep the last answer of each rack to a model", () => {
      const { store } = open();
      const ack = { rack_id: "R-A-01", ok: false, ts: isoTime(T0), errors: [] };
      store.models.putAck("m", ack);
      store.models.putAck("m", { ...ack, ok: true });
      expect(store.models.acks("m")).toEqual([{ ...ack, ok: true }]);
      expect(store.models.acks("n")).toEqual([]);
      store.close();
    });
  });

  describe(`${name}: the model registry`, () => {
    const registered = (n: number, changes: Partial<RegisteredModel> = {}) => ({
      model_id: `m${n}`,
      sha256: String(n).repeat(64),
      kind: "kmeans" as const,
      created_at: isoTime(T0 + n),
      lineage: LINEAGE,
      ...changes,
    });
    const stage = (ts_ms: number, to: StageChange["stage"]): StageChange => ({
      ...{ ts: isoTime(ts_ms), stage: to, by: "operator", reason: `to ${to}` },
    });

    it("keeps models newest first, with their lineage and history, over a reopening", () => {
      const { store, reopen } = open();
      const [old, young] = [registered(1), registered(2)];
      store.registry.put(old);
      store.registry.put(young);
      store.registry.addStage(old.sha256, stage(T0, "candidate"));
      store.registry.addStage(young.sha256, stage(T0 + 1, "candidate"));
      // In one and the same millisecond: the order of the changes decides.
      for (const to of ["canary", "active", "retired"] as const)
        store.registry.addStage(old.sha256, stage(T0 + 2, to));
      const again = reopen();
      const history = (...stages: StageChange[]) => ({ stage: stages.at(-1)?.stage, history: stages });
      expect(again.registry.all()).toEqual([
        { ...young, ...history(stage(T0 + 1, "candidate")) },
        {
          ...old,
          ...history(
            stage(T0, "candidate"),
            stage(T0 + 2, "canary"),
            stage(T0 + 2, "active"),
            stage(T0 + 2, "retired"),
          ),
        },
      ]);
      again.close();
    });

    it("puts a model anew without its history being lost", () => {
      const { store } = open();
      store.registry.put(registered(1));
      store.registry.addStage(registered(1).sha256, stage(T0, "candidate"));
      store.registry.put(registered(1, { lineage: { ...LINEAGE, report: "m1.html" } }));
      expect(store.registry.all()).toMatchObject([{ lineage: { report: "m1.html" }, stage: "candidate" }]);
      store.close();
    });

    it("knows the order in which models became active, each time anew", () => {
      const { store, reopen } = open();
      const change = (n: number, to: StageChange["stage"]) =>
        store.registry.addStage(registered(n).sha256, stage(T0, to));
      change(1, "active");
      change(1, "retired");
      change(2, "active");
      change(2, "retired");
      change(1, "active");
      const again = reopen();
      expect(again.registry.activations()).toEqual([1, 2, 1].map((n) => registered(n).sha256));
      again.close();
    });

    it("keeps one pin per scope until it is removed, over a reopening", () => {
      const { store, reopen } = open();
      const pin = (scope: string, n: number) => ({
        ...{ scope, model_id: `m${n}`, sha256: registered(n).sha256, by: "operator", ts: isoTime(T0) },
      });
      store.registry.putPin(pin("R-C-07", 1));
      store.registry.putPin(pin("C", 1));
      store.registry.putPin(pin("C", 2));
      const again = reopen();
      expect(again.registry.pins()).toEqual([pin("C", 2), pin("R-C-07", 1)]);
      again.registry.removePin("C");
      expect(again.registry.pins()).toEqual([pin("R-C-07", 1)]);
      again.close();
    });

    it("is not pruned", () => {
      const { store } = open();
      store.registry.put(registered(1));
      store.registry.addStage(registered(1).sha256, stage(T0, "retired"));
      store.prune(T0 + 1e9, T0 + 1e9);
      expect(store.registry.all()).toHaveLength(1);
      store.close();
    });
  });

  describe(`${name}: incidents and maintenance`, () => {
    const incident = (id: string, opened_ms: number, changes: Partial<Incident> = {}): Incident => ({
      ...{ v: 1, id, scope: "rack", row: "A", status: "open", severity: "warning", title: id },
      ...{ opened_at: isoTime(opened_ms), updated_at: isoTime(opened_ms), closed_at: null, closed_by: null },
      ...{ acknowledged_by: null, maintenance: false, judged: null, reopened: 0, merged_into: null },
      ...{ verdict: null, racks: [], timeline: [] },
      ...changes,
    });
    const closed = (ms: number) => ({ status: "closed" as const, closed_at: isoTime(ms) });

    it("keep one version of an incident, newest first, by status and severity", () => {
      const { store, reopen } = open();
      store.incidents.put(incident("a", T0));
      store.incidents.put(incident("b", T0 + 1, { severity: "critical" }));
      store.incidents.put(incident("a", T0, closed(T0 + 9)));
      const again = reopen();
      const ids = (filter: object) => again.incidents.recent({ limit: 10, ...filter }).map(({ id }) => id);
      expect(ids({})).toEqual(["b", "a"]);
      expect(ids({ status: "closed" })).toEqual(["a"]);
      expect(ids({ severity: "critical" })).toEqual(["b"]);
      expect(ids({ limit: 1 })).toEqual(["b"]);
      expect(again.incidents.get("a")).toEqual(incident("a", T0, closed(T0 + 9)));
      expect(again.incidents.get("c")).toBeNull();
      again.close();
    });

    it("are found by the racks that are part of them", () => {
      const { store } = open();
      const part = {
        since: isoTime(T0),
        recovered_at: null,
        sensors: [],
        verdict: null,
        scores: { count: 0, log_d_mean: 0 },
      };
      const of = (...ids: string[]) => ({ racks: ids.map((rack_id) => ({ rack_id, ...part })) });
      store.incidents.put(incident("a", T0, of("R-A-01")));
      store.incidents.put(incident("b", T0 + 1, of("R-A-02")));
      store.incidents.put(incident("c", T0 + 2, of("R-A-02", "R-A-01")));
      expect(store.incidents.ofRack("R-A-01", 10).map(({ id }) => id)).toEqual(["c", "a"]);
      expect(store.incidents.ofRack("R-A-01", 1).map(({ id }) => id)).toEqual(["c"]);
      expect(store.incidents.ofRack("R-A-03", 10)).toEqual([]);
      store.close();
    });

    it("know what is open or ended lately, and prune only what has ended", () => {
      const { store } = open();
      store.incidents.put(incident("old", T0, closed(T0 + 1)));
      store.incidents.put(incident("late", T0, closed(T0 + 100)));
      store.incidents.put(incident("open", T0));
      expect(store.incidents.activeOrClosedSince(T0 + 50).map(({ id }) => id)).toEqual(["late", "open"]);
      store.prune(0, T0 + 50);
      expect(store.incidents.get("old")).toBeNull();
      expect(store.incidents.get("open")).not.toBeNull();
      store.close();
    });

    it("know which were closed by hand before their alarm had ended", () => {
      const { store } = open();
      const part = (recovered_ms: number | null) => ({
        ...{ rack_id: "R-A-01", since: isoTime(T0), sensors: [], verdict: null },
        ...{ recovered_at: recovered_ms === null ? null : isoTime(recovered_ms) },
        scores: { count: 0, log_d_mean: 0 },
      });
      const put = (id: string, changes: Partial<Incident>) =>
        store.incidents.put(incident(id, T0, { ...closed(T0 + 100), ...changes }));
      put("standing", { racks: [part(T0 + 50), part(null)] });
      put("recovered", { racks: [part(T0 + 50)] });
      put("part_of_another", { racks: [part(null)], merged_into: "standing" });
      store.incidents.put(incident("open", T0, { racks: [part(null)] }));
      expect(store.incidents.closedBeforeRecovery().map(({ id }) => id)).toEqual(["standing"]);
      store.close();
    });

    it("keep maintenance windows over a reopening until they are removed", () => {
      const { store, reopen } = open();
      const window = (id: string, to_ms: number) => ({
        ...{ id, rack_id: null, row: "A", from: isoTime(T0), to: isoTime(to_ms), reason: "filters" },
      });
      store.maintenance.put(window("b", T0 + 2));
      store.maintenance.put(window("a", T0 + 1));
      const again = reopen();
      expect(again.maintenance.all()).toEqual([window("a", T0 + 1), window("b", T0 + 2)]);
      again.maintenance.remove("a");
      expect(again.maintenance.all()).toEqual([window("b", T0 + 2)]);
      again.close();
    });

    it("bring the sequential test of a rack back with its filter", () => {
      const { store, reopen } = open();
      const mms = { ...filter(2), test: { phase: "persistent" as const, up: 0, down: -1.5 } };
      store.samples.add(telemetry("R-A-01", 1), in_order);
      store.samples.attachScore(score("R-A-01", 1, 1), mms);
      const again = reopen();
      expect(again.samples.latestMms("R-A-01")?.mms).toEqual(mms);
      again.close();
    });
  });
}
