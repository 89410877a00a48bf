import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PlanConfig, type PlanRack, type PlanState, plan } from "../../../aggregator/optimizer/plan.ts";
import { RACK_TARGETS, type RackTarget, type Target } from "../../../shared/contracts/action.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import { createScorer } from "../../../shared/ims/score.ts";
import { smallModel } from "../../support/models.ts";
import { telemetry } from "./store-suite.ts";

const { limits, actuators, optimizer } = AggregatorConfig.parse({});
const config: PlanConfig = { limits, actuators, ...optimizer };
const NOW = Date.UTC(2026, 0, 1);
const scorer = createScorer(smallModel());
const no_setpoints = Object.fromEntries(RACK_TARGETS.map((t) => [t, null])) as Record<RackTarget, null>;

function rack(rack_id: string, sample: object = {}, changes: Partial<PlanRack> = {}): PlanRack {
  return {
    rack_id,
    sample: telemetry(rack_id, 1, sample),
    age_ms: 1_000,
    held: null,
    d_level: 0.5 * scorer.model.tau_fast,
    setpoints: no_setpoints,
    ...changes,
  };
}

function state(racks: PlanRack[], changes: Partial<PlanState> = {}): PlanState {
  return {
    racks,
    kill_switch: false,
    scorer,
    changedMs: () => Number.NEGATIVE_INFINITY,
    resting: () => false,
    ...changes,
  };
}

const forRack = (rack_id: string, s: PlanState) =>
  plan(s, config, NOW).proposals.filter((proposal) => proposal.rack_id === rack_id);

describe("the slow loop's plan", () => {
  it("proposes at most one change per calm rack and one for the site, each with its promise", () => {
    const { skipped, proposals } = plan(state([rack("R-A-01"), rack("R-A-02")]), config, NOW);
    expect(skipped).toBeNull();
    expect(proposals.map(({ rack_id }) => rack_id).sort()).toEqual(["R-A-01", "R-A-02", null].sort());
    for (const proposal of proposals) {
      expect(proposal.predicted_saving_kw).toBeGreaterThan(0);
      expect(proposal.predicted.d).toBeLessThan(scorer.model.tau_fast);
    }
  });

  it.each([
    ["while the kill switch is on", { kill_switch: true }, "kill_switch"],
    ["without a model to check deviations with", { scorer: null }, "no_model"],
  ])("does nothing %s", (_when, changes, reason) => {
    expect(plan(state([rack("R-A-01")], changes), config, NOW)).toMatchObject({
      skipped: reason,
      proposals: [],
    });
  });

  it("does nothing on data older than a minute", () => {
    const old = rack("R-A-01", {}, { age_ms: 60_001 });
    expect(plan(state([old]), config, NOW).skipped).toBe("no_fresh_data");
  });

  it.each(["persistent", "guarded"] as const)(
    "leaves a %s rack alone, and the supply air with it",
    (trouble) => {
      const racks = [rack("R-A-01", {}, { held: trouble }), rack("R-A-02")];
      const { proposals, rejected } = plan(state(racks), config, NOW);
      expect(proposals.map(({ rack_id }) => rack_id)).toEqual(["R-A-02"]);
      expect(rejected[`rack_${trouble}`]).toBe(1);
    },
  );

  it("leaves a rack alone whose p95 exceeds 95 % of its limit", () => {
    expect(forRack("R-A-01", state([rack("R-A-01", { latency_p95_ms: 238 })]))).toEqual([]);
  });

  it("does not widen the batching window where p95 would exceed the guard", () => {
    // 237.5 ms is the guard; the smallest step costs 20 ms.
    const [proposal] = forRack("R-A-01", state([rack("R-A-01", { latency_p95_ms: 220 })]));
    expect(proposal?.target).not.toBe("batch_window_ms");
  });

  it("does not reduce cooling near the inlet's limit", () => {
    const { proposals } = plan(state([rack("R-A-01", { inlet_c: 27.2, outlet_c: 40 })]), config, NOW);
    const cooling = ["fan_rpm_pct", "pump_rpm_pct", "supply_c"];
    expect(proposals.filter(({ target }) => cooling.includes(target))).toEqual([]);
  });

  it("rejects what is predicted to bring the smoothed D near tau_fast, whatever the last sample says", () => {
    const near = 0.94 * scorer.model.tau_fast;
    const { proposals, rejected } = plan(state([rack("R-A-01", {}, { d_level: near })]), config, NOW);
    expect(rejected.deviation).toBeGreaterThan(0);
    for (const { predicted } of proposals) expect(predicted.d).toBeLessThan(0.95 * scorer.model.tau_fast);
  });

  it("does not try again what was taken back a moment ago", () => {
    const resting: PlanState["resting"] = (_rack_id, target) => target === "batch_window_ms";
    const [proposal] = forRack("R-A-01", state([rack("R-A-01")], { resting }));
    expect(proposal?.target).not.toBe("batch_window_ms");
  });

  it("moves traffic from the rack that needs most energy per token to the others", () => {
    const wasteful = { pdu_kw: 9.9, gpu_energy_j: 34_650, tokens_ps: 9_000, latency_p95_ms: 219 };
    const typical = { d_level: 0 };
    const racks = [
      rack("R-A-01", wasteful, typical),
      ...[2, 3, 4, 5].map((n) => rack(`R-A-0${n}`, { pdu_kw: 6.5 }, typical)),
    ];
    const [proposal] = forRack("R-A-01", state(racks));
    expect(proposal).toMatchObject({ target: "routing_weight_pct", from: null });
    expect(proposal?.to).toBeGreaterThanOrEqual(75);
    expect(proposal?.to).toBeLessThanOrEqual(90);
  });

  it("ignores a change that lies in the future of this clock", () => {
    const ahead = state([rack("R-A-01")], { changedMs: () => NOW + 1 });
    expect(forRack("R-A-01", ahead)).toHaveLength(1);
  });
});

describe("whatever the state of the site, the plan", () => {
  const measured = fc.record({
    inlet_c: fc.double({ min: 16, max: 31, noNaN: true }),
    outlet_c: fc.double({ min: 28, max: 55, noNaN: true }),
    pdu_kw: fc.double({ min: 0, max: 14, noNaN: true }),
    gpu_energy_j: fc.double({ min: 0, max: 50_000, noNaN: true }),
    tokens_ps: fc.double({ min: 0, max: 16_000, noNaN: true }),
    latency_p95_ms: fc.double({ min: 80, max: 400, noNaN: true }),
    queue_depth: fc.integer({ min: 0, max: 200 }),
    fan_rpm_pct: fc.option(fc.double({ min: 0, max: 100, noNaN: true })),
    pump_rpm_pct: fc.double({ min: 0, max: 100, noNaN: true }),
  });
  const setpoint = (target: RackTarget) =>
    fc.option(fc.double({ min: actuators[target].min, max: actuators[target].max, noNaN: true }));
  const setpoints = fc.record({
    fan_rpm_pct: setpoint("fan_rpm_pct"),
    pump_rpm_pct: setpoint("pump_rpm_pct"),
    routing_weight_pct: setpoint("routing_weight_pct"),
    admission_pct: setpoint("admission_pct"),
    batch_window_ms: setpoint("batch_window_ms"),
    power_cap_kw: setpoint("power_cap_kw"),
  });
  const sites = fc.array(
    fc.record({
      measured,
      setpoints,
      held: fc.constantFrom(null, "persistent", "guarded"),
      age_ms: fc.integer({ min: 0, max: 120_000 }),
    }),
    { minLength: 1, maxLength: 8 },
  );
  const racksOf = (
    site: { measured: object; setpoints: PlanRack["setpoints"]; held: string | null; age_ms: number }[],
  ) => site.map(({ measured: sample, ...changes }, i) => rack(`R-A-0${i + 1}`, sample, changes));
  /** A scorer that objects to nothing, so that only the hard limits are left. */
  const lenient = createScorer({ ...scorer.model, tau_fast: 1e9 });

  it("never leaves a device's limits or exceeds its step", () => {
    fc.assert(
      fc.property(sites, (site) => {
        const racks = racksOf(site);
        for (const { rack_id, target, to } of plan(state(racks, { scorer: lenient }), config, NOW)
          .proposals) {
          if (target === "supply_c") continue;
          const device = actuators[target];
          expect(to).toBeGreaterThanOrEqual(device.min);
          expect(to).toBeLessThanOrEqual(device.max);
          const before = racks.find((r) => r.rack_id === rack_id);
          const rest = target === "batch_window_ms" ? 0 : 100;
          const is_measured = target === "fan_rpm_pct" || target === "pump_rpm_pct";
          const from = is_measured ? before?.sample?.[target] : (before?.setpoints[target] ?? rest);
          expect(Math.abs(to - (from ?? Number.NaN))).toBeLessThanOrEqual(device.step_max);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never changes one device twice within the interval", () => {
    fc.assert(
      fc.property(
        sites,
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
        (site, waits_s) => {
          const changed = new Map<string, number>();
          const device = (rack_id: string | null, target: Target) => `${rack_id}/${target}`;
          const changedMs = (rack_id: string | null, target: Target) =>
            changed.get(device(rack_id, target)) ?? Number.NEGATIVE_INFINITY;
          let now_ms = NOW;
          for (const wait_s of waits_s) {
            const { proposals } = plan(state(racksOf(site), { scorer: lenient, changedMs }), config, now_ms);
            const racks = proposals.map(({ rack_id }) => rack_id);
            expect(new Set(racks).size).toBe(racks.length);
            for (const { rack_id, target } of proposals) {
              expect(now_ms - changedMs(rack_id, target)).toBeGreaterThanOrEqual(config.interval_s * 1000);
              changed.set(device(rack_id, target), now_ms);
            }
            now_ms += wait_s * 1000;
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("never touches a held, slow, stale or half-blind rack", () => {
    fc.assert(
      fc.property(sites, (site) => {
        const racks = racksOf(site);
        for (const { rack_id } of plan(state(racks, { scorer: lenient }), config, NOW).proposals) {
          if (rack_id === null) continue;
          const before = racks.find((r) => r.rack_id === rack_id);
          expect(before?.held).toBeNull();
          expect(before?.age_ms).toBeLessThanOrEqual(60_000);
          expect(before?.sample?.latency_p95_ms).toBeLessThanOrEqual(0.95 * limits.latency_p95_ms);
          expect(before?.sample?.fan_rpm_pct).not.toBeNull();
        }
      }),
      { numRuns: 200 },
    );
  });
});
