import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSolver } from "../../../../aggregator/optimizer/lp.ts";
import {
  type PredictiveState,
  planningConfig,
  planPredictive,
  siteTrouble,
} from "../../../../aggregator/optimizer/predictive.ts";
import { createRackModel, type Observation } from "../../../../aggregator/optimizer/rack-model.ts";
import { equipmentOf } from "../../../../aggregator/optimizer/site-model.ts";
import { RACK_TARGETS, type RackTarget } from "../../../../shared/contracts/action.ts";
import { AggregatorConfig } from "../../../../shared/contracts/config.ts";
import { createScorer } from "../../../../shared/ims/score.ts";
import { smallModel } from "../../../support/models.ts";

const config = AggregatorConfig.parse({});
const planning = planningConfig(config);
const { actuators, limits } = config;
const solve = await createSolver();
/** A scorer that objects to nothing, so that only limits count. */
const lenient = createScorer({ ...smallModel(), tau_fast: 1e9 });
const NO_SETPOINTS = Object.fromEntries(RACK_TARGETS.map((t) => [t, null])) as Record<
  RackTarget,
  number | null
>;

const NOMINAL: Observation = {
  interval_s: 5,
  inlet_c: 21.5,
  outlet_c: 36,
  pdu_kw: 8,
  gpu_kw: 5.6,
  tokens_ps: 8_000,
  latency_p95_ms: 185,
  queue_depth: 35,
  fan_pct: 62,
  pump_pct: 56,
  batch_window_ms: 20,
  supply_c: 19.4,
  neighbour_c: 36,
};

function modelOf(changes: Partial<Observation> = {}, minutes = 20) {
  const model = createRackModel(equipmentOf(config));
  for (let n = 0; n < minutes * 12; n++) model.observe({ ...NOMINAL, ...changes });
  return model;
}

const seenAgo = (minutes: number, model = modelOf()) => ({ model, recent_age_ms: minutes * 60_000 });

type Rack = PredictiveState["racks"][number];

function rack(rack_id: string, seen: Partial<Observation> = {}, changes: Partial<Rack> = {}): Rack {
  const tokens_ps = seen.tokens_ps ?? NOMINAL.tokens_ps;
  return {
    rack_id,
    row: rack_id.split("-")[1]!,
    model: modelOf(seen),
    recent_age_ms: 60_000,
    held: null,
    setpoints: NO_SETPOINTS,
    neighbour_c: 36,
    load: { mean_tokens_ps: tokens_ps, peak_tokens_ps: tokens_ps },
    d_level: 0,
    ...changes,
  };
}

function state(racks: readonly Rack[], changes: Partial<PredictiveState> = {}): PredictiveState {
  return { racks, supply: { setpoint_c: 19.4, open: true }, scorer: lenient, open: () => true, ...changes };
}

const six = (seen: Partial<Observation> = {}) => [1, 2, 3, 4, 5, 6].map((n) => rack(`R-A-0${n}`, seen));

describe("the predictive plan", () => {
  it("slows fans and warms the supply air of a calm hall, each with a promise", () => {
    const { proposals, explanations } = planPredictive(state(six()), planning, solve);
    expect(explanations).toEqual([]);
    const supply = proposals.find(({ target }) => target === "supply_c");
    expect(supply).toMatchObject({ rack_id: null, from: 19.4, to: 19.9 });
    expect(supply!.predicted_saving_kw).toBeGreaterThan(0);
    const fans = proposals.filter(({ target }) => target === "fan_rpm_pct");
    expect(fans).toHaveLength(6);
    for (const { to, predicted_saving_kw } of fans) {
      expect(to).toBeLessThan(62);
      expect(predicted_saving_kw).toBeGreaterThan(0);
    }
  });

  it("explains what cannot be met, and cools", () => {
    const hot = six({ inlet_c: 32, outlet_c: 46, supply_c: 25 });
    const made = planPredictive(state(hot, { supply: { setpoint_c: 25, open: true } }), planning, solve);
    expect(made.explanations.join()).toMatch(/infeasible.*inlet of 6 racks/);
    const supply = made.proposals.find(({ target }) => target === "supply_c");
    expect(supply?.to).toBe(Math.max(planning.supply.min, 25 - planning.supply.step_down_max));
  });

  it("does not cool the site for one rack whose heat its row does not share", () => {
    const racks = [rack("R-A-01", { inlet_c: 29, outlet_c: 43 }), ...six().slice(1)];
    const { proposals } = planPredictive(state(racks), planning, solve);
    const supply = proposals.find(({ target }) => target === "supply_c");
    expect(supply?.to ?? 19.4).toBeGreaterThanOrEqual(19.4);
  });

  it("warms the supply air past a hot rack that its own guardrail holds, but not until that rack is near its limit", () => {
    const heldAt = (inlet_c: number) => {
      const held = rack("R-A-01", { inlet_c, outlet_c: 38 }, { held: "guarded" });
      const { proposals } = planPredictive(state([held, ...six().slice(1)]), planning, solve);
      return proposals.find(({ target }) => target === "supply_c")?.to ?? 19.4;
    };
    expect(heldAt(24.2)).toBe(19.9);
    expect(heldAt(27)).toBe(19.4);
  });

  it("cools a rack in trouble of its own by its own devices", () => {
    const racks = [rack("R-A-01", { inlet_c: 25, outlet_c: 39, fan_pct: 80 }), ...six().slice(1)];
    const { proposals } = planPredictive(state(racks), planning, solve);
    const fan = proposals.find(({ rack_id, target }) => rack_id === "R-A-01" && target === "fan_rpm_pct");
    expect(fan?.to).toBe(75);
  });

  it("lets the busiest racks alone give traffic away, and has everyone else take all of theirs", () => {
    const setpoints = { ...NO_SETPOINTS, routing_weight_pct: 93 };
    const even = six().map((r) => ({ ...r, setpoints }));
    const back = planPredictive(state(even), planning, solve).proposals.filter(
      ({ target }) => target === "routing_weight_pct",
    );
    expect(back).toHaveLength(6);
    for (const { to } of back) expect(to).toBe(100);

    const busy = rack("R-A-01", { tokens_ps: 11_500, latency_p95_ms: 235 });
    const given = planPredictive(state([busy, ...six().slice(1)]), planning, solve).proposals.filter(
      ({ target }) => target === "routing_weight_pct",
    );
    expect(given).toMatchObject([{ rack_id: "R-A-01" }]);
    expect(given[0]!.to).toBeLessThan(100);
  });

  it("still cools a rack whose p95 alone is badly predicted, with its usual batching window", () => {
    const model = modelOf();
    for (let n = 0; n < 720; n++)
      model.observe({ ...NOMINAL, latency_p95_ms: 185 + (n % 48 < 24 ? 90 : -90) });
    expect(model.one_step.latency_p95_ms).toBeGreaterThan(25);
    expect(siteTrouble([seenAgo(1, model)])).toBeNull();
    const setpoints = { ...NO_SETPOINTS, batch_window_ms: 50 };
    const racks = [rack("R-A-01", {}, { model, setpoints }), ...six().slice(1)];
    const own = planPredictive(state(racks), planning, solve).proposals.filter(
      ({ rack_id }) => rack_id === "R-A-01",
    );
    expect(own.map(({ target }) => target)).toContain("fan_rpm_pct");
    expect(own.find(({ target }) => target === "batch_window_ms")?.to).toBe(20);
    expect(own.some(({ target }) => target === "routing_weight_pct")).toBe(false);
  });

  it("narrows the batching window where p95 would exceed its margin", () => {
    const slow = six({ latency_p95_ms: 245, batch_window_ms: 60, tokens_ps: 9_000 }).map((r) => ({
      ...r,
      setpoints: { ...NO_SETPOINTS, batch_window_ms: 60 },
    }));
    const { proposals } = planPredictive(state(slow), planning, solve);
    const windows = proposals.filter(({ target }) => target === "batch_window_ms");
    expect(windows).toHaveLength(6);
    for (const { to } of windows) expect(to).toBeLessThan(60);
  });

  it("leaves the usual window where p95 has no margin, and widens it only where bursts leave room", () => {
    const windowsAt = (latency_p95_ms: number) =>
      planPredictive(state(six({ latency_p95_ms })), planning, solve)
        .proposals.filter(({ target }) => target === "batch_window_ms")
        .map(({ to }) => to);
    expect(windowsAt(215)).toEqual([]);
    const wider = windowsAt(130);
    expect(wider).toHaveLength(6);
    for (const to of wider) expect(to).toBeGreaterThan(20);
  });

  it("keeps clear of what one reading at the limit sets off, not only of the samples' means", () => {
    const warm = state(six({ inlet_c: 25, supply_c: 22, fan_pct: 42 }), {
      supply: { setpoint_c: 22, open: true },
    });
    const supplyAt = (readings_per_sample: number) =>
      planPredictive(warm, { ...planning, readings_per_sample }, solve).proposals.find(
        ({ target }) => target === "supply_c",
      )?.to ?? 22;
    expect(supplyAt(9)).toBeLessThan(22);
    expect(supplyAt(1)).toBeGreaterThanOrEqual(22);
  });

  it("leaves a rack alone that has sent nothing complete for minutes", () => {
    const unseen = rack("R-A-01", {}, { recent_age_ms: 660_000 });
    const { proposals, rejected } = planPredictive(state([unseen, ...six().slice(1)]), planning, solve);
    expect(rejected.rack_model_stale).toBe(1);
    expect(proposals.filter(({ rack_id }) => rack_id === "R-A-01")).toEqual([]);
  });

  it("gives a rack whose model is not trusted its usual batching window back, step by step", () => {
    const setpoints = { ...NO_SETPOINTS, batch_window_ms: 80 };
    const blind = rack("R-A-01", {}, { model: modelOf({}, 2), setpoints });
    const { proposals, rejected } = planPredictive(state([blind, ...six().slice(1)]), planning, solve);
    expect(rejected.rack_model_learning).toBe(1);
    const own = proposals.filter(({ rack_id }) => rack_id === "R-A-01");
    expect(own).toMatchObject([{ target: "batch_window_ms", from: 80, to: 40 }]);
  });

  it.each(["stale", "offline"])("leaves a rack alone that is %s", (held) => {
    const racks = [rack("R-A-01", {}, { held }), ...six().slice(1)];
    const { proposals, rejected } = planPredictive(state(racks), planning, solve);
    expect(proposals.some(({ rack_id }) => rack_id === "R-A-01")).toBe(false);
    expect(rejected[`rack_${held}`]).toBe(1);
  });

  it("does to a persistent rack only what can help it", () => {
    const persistent = rack("R-A-01", { latency_p95_ms: 240 }, { held: "persistent" });
    const { proposals } = planPredictive(state([persistent, ...six().slice(1)]), planning, solve);
    for (const { rack_id, target, to } of proposals) {
      if (rack_id !== "R-A-01") continue;
      expect(["pump_rpm_pct", "batch_window_ms"]).toContain(target);
      if (target === "pump_rpm_pct") expect(to).toBeGreaterThan(56);
      else expect(to).toBeLessThan(20);
    }
  });

  it("changes no rack when D is predicted to come near tau_fast", () => {
    const strict = createScorer(smallModel());
    const near = six().map((r) => ({ ...r, d_level: strict.model.tau_fast }));
    const { proposals, rejected } = planPredictive(state(near, { scorer: strict }), planning, solve);
    for (const { predicted } of proposals.filter(({ rack_id }) => rack_id !== null)) {
      expect(predicted.d).toBeLessThanOrEqual(strict.model.tau_fast);
    }
    expect(rejected.deviation ?? rejected.deviation_scaled ?? 0).toBeGreaterThanOrEqual(0);
  });

  it("changes nothing when the solver gives up, and says so", () => {
    const made = planPredictive(state(six()), planning, () => ({
      status: "time_limit",
      values: new Float64Array(),
      objective: Number.NaN,
      iterations: 0,
    }));
    expect(made.proposals).toEqual([]);
    expect(made.explanations.join()).toMatch(/time_limit/);
  });
});

describe("the site's models are not good enough", () => {
  it("while they learn", () => {
    const young = seenAgo(1, modelOf({}, 2));
    expect(siteTrouble([young, young])).toMatch(/^model_learning: 0 of 2/);
  });

  it("when they err", () => {
    const model = modelOf();
    for (let n = 0; n < 600; n++) {
      const swing = n % 24 < 12 ? 6 : -6;
      model.observe({ ...NOMINAL, inlet_c: 21.5 + swing, pdu_kw: 8 + swing / 2 });
    }
    expect(siteTrouble([seenAgo(1, model)])).toMatch(/^model_poor: 0 of 1/);
  });

  it("when they have seen nothing for minutes, however good they were", () => {
    expect(siteTrouble([seenAgo(9), seenAgo(9)])).toBeNull();
    expect(siteTrouble([seenAgo(11), seenAgo(11)])).toMatch(/^model_poor: 0 of 2/);
  });

  it("but they are when most of them are", () => {
    const good = seenAgo(1);
    expect(siteTrouble([good, good, good, seenAgo(1, modelOf({}, 2))])).toBeNull();
  });
});

describe("whatever the state of the site, the predictive plan", () => {
  const seen = fc.record({
    inlet_c: fc.double({ min: 17, max: 31, noNaN: true }),
    outlet_c: fc.double({ min: 32, max: 55, noNaN: true }),
    pdu_kw: fc.double({ min: 2, max: 14, noNaN: true }),
    gpu_kw: fc.double({ min: 1, max: 9, noNaN: true }),
    tokens_ps: fc.double({ min: 0, max: 16_000, noNaN: true }),
    latency_p95_ms: fc.double({ min: 80, max: 400, noNaN: true }),
    fan_pct: fc.double({ min: 0, max: 100, noNaN: true }),
    pump_pct: fc.double({ min: 0, max: 100, noNaN: true }),
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
      seen,
      setpoints,
      held: fc.constantFrom(null, null, null, "stale", "offline", "persistent"),
      closed: fc.subarray([...RACK_TARGETS]),
    }),
    { minLength: 1, maxLength: 5 },
  );

  it("stays in every device's limits and steps, keeps to the spacing, and leaves held racks alone", () => {
    fc.assert(
      fc.property(
        sites,
        fc.double({ min: 18, max: planning.supply.max, noNaN: true }),
        fc.boolean(),
        (site, setpoint_c, supply_open) => {
          const racks = site.map(({ seen: measured, setpoints: set, held }, i) =>
            rack(`R-A-0${i + 1}`, measured, { setpoints: set, held }),
          );
          const open = (rack_id: string, target: RackTarget) =>
            !site[racks.findIndex((r) => r.rack_id === rack_id)]!.closed.includes(target);
          const supply = { setpoint_c, open: supply_open };
          const { proposals } = planPredictive(state(racks, { supply, open }), planning, solve);
          const devices = proposals.map(({ rack_id, target }) => `${rack_id}/${target}`);
          expect(new Set(devices).size).toBe(devices.length);
          for (const { rack_id, target, to } of proposals) {
            expect(Number.isFinite(to)).toBe(true);
            if (target === "supply_c") {
              expect(supply_open).toBe(true);
              expect(to).toBeGreaterThanOrEqual(Math.min(planning.supply.min, setpoint_c));
              expect(to).toBeLessThanOrEqual(planning.supply.max);
              expect(to - setpoint_c).toBeLessThanOrEqual(planning.supply.step_max + 0.005);
              expect(setpoint_c - to).toBeLessThanOrEqual(planning.supply.step_down_max + 0.005);
              continue;
            }
            const i = racks.findIndex((r) => r.rack_id === rack_id);
            const { held, setpoints: set } = racks[i]!;
            expect(held === null || held === "persistent").toBe(true);
            expect(site[i]!.closed).not.toContain(target);
            const { min, max, step_max } = actuators[target];
            expect(to).toBeGreaterThanOrEqual(min);
            expect(to).toBeLessThanOrEqual(max);
            const recent = racks[i]!.model.recent!;
            const measured = { fan_rpm_pct: recent.fan_pct, pump_rpm_pct: recent.pump_pct };
            const resting = {
              batch_window_ms: 20,
              routing_weight_pct: 100,
              admission_pct: 100,
              power_cap_kw: 12,
            };
            const rest = { ...resting, ...measured };
            const asked = set[target] ?? rest[target];
            const stands = target in measured && Math.abs(asked - rest[target]) > 2 ? rest[target] : asked;
            expect(Math.abs(to - stands)).toBeLessThanOrEqual(step_max + 0.05);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is never predicted to bring an inlet beyond its limit that was within", () => {
    fc.assert(
      fc.property(sites, (site) => {
        const racks = site.map(({ seen: measured, setpoints: set }, i) =>
          rack(`R-A-0${i + 1}`, measured, { setpoints: set }),
        );
        for (const { rack_id, predicted } of planPredictive(state(racks), planning, solve).proposals) {
          const before = racks.find((r) => r.rack_id === rack_id)?.model.recent;
          if (before && before.inlet_c < limits.inlet_c - 6)
            expect(predicted.inlet_c).toBeLessThan(limits.inlet_c);
        }
      }),
      { numRuns: 40 },
    );
  });
});
