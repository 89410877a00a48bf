import { PLANT_DEFAULTS } from "../../../sim/plant/parameters.ts";
import { createPlant } from "../../../sim/plant/plant.ts";
import { RACKS } from "../fault-schedule.ts";
import { START_MS } from "./hall.ts";
import { createOracle, type OracleLimits, type OracleSetpoints } from "./oracle.ts";
import { FIXED, FIXED_FOR_PEAK } from "./policies.ts";

const SEED = 1;
const HOURS = Array.from({ length: 12 }, (_, i) => 2 * i);
/** Two neighbours of every row: one of each pair of racks has interactive users. */
const SAMPLED = RACKS.flatMap((_, i) => (i % 12 === 4 || i % 12 === 5 ? [i] : []));
const SUPPLIES_C = Array.from({ length: 19 }, (_, i) => 19 + i / 2);
const WINDOW_MS = PLANT_DEFAULTS.batch_window_ms;
const STEPS = [8, 4, 2, 1, 0.5];
const OUTLET_PASSES = 4;

export interface Bound {
  inlet_max_c: number;
  latency_max_ms: number;
  /** Cooling energy below that of setpoints fixed at the nominal middle, and fixed for the peak. */
  of_fixed: number;
  of_fixed_for_peak: number;
}

/**
 * What the plant's equations allow at most: in the steady state at every hour's load, without faults, noise or
 * guardrail, with cooling energy as the only goal and the best supply, fan, pump and window of every rack.
 */
export function coolingBound(inlet_max_c: number, latency_max_ms: number): Bound {
  const limits: OracleLimits = {
    ...{ inlet_max_c, latency_max_ms, supply: { min: SUPPLIES_C[0]!, max: SUPPLIES_C.at(-1)! } },
    ...{ fan: { min: 40, max: 100 }, pump: { min: 35, max: 90 }, batch: { min: 0, max: 80 } },
  };
  const oracle = createOracle(SEED, RACKS, limits);
  const steady = (i: number, supply_c: number, set: OracleSetpoints, tokens_ps: number) => {
    const share = PLANT_DEFAULTS.neighbour_share;
    let outlet_c = 36;
    for (let pass = 1; ; pass++) {
      const know = { tokens_ps, neighbours_c: 2 * share * outlet_c, supply_bias_c: 0 };
      const state = oracle.steady(i, supply_c, set, know);
      if (pass === OUTLET_PASSES) return state;
      outlet_c = state.outlet_c;
    }
  };
  const sums = { best: 0, fixed: 0, fixed_for_peak: 0 };
  for (const hour of HOURS) {
    const plant = createPlant({ rack_ids: RACKS, seed: SEED, start_ms: START_MS, start_hour: hour });
    const loads = SAMPLED.map((i) => ({ i, tokens_ps: plant.truth(RACKS[i]!).assigned_tokens_ps }));
    const at = (set: OracleSetpoints) =>
      loads.reduce(
        (sum, { i, tokens_ps }) => sum + steady(i, PLANT_DEFAULTS.supply_c, set, tokens_ps).cooling_kw,
        0,
      );
    sums.fixed += at({ ...FIXED, batch_window_ms: WINDOW_MS });
    sums.fixed_for_peak += at({ ...FIXED_FOR_PEAK, batch_window_ms: WINDOW_MS });
    const totals = SUPPLIES_C.map((supply_c) =>
      loads.reduce((sum, { i, tokens_ps }) => {
        const cost = (set: OracleSetpoints) => {
          const { cooling_kw, inlet_c, latency_p95_ms } = steady(i, supply_c, set, tokens_ps);
          const broken =
            Math.max(0, inlet_c - inlet_max_c) + Math.max(0, latency_p95_ms - oracle.latencyLimit(tokens_ps));
          return cooling_kw + 10 * broken;
        };
        return sum + lowest(cost, limits);
      }, 0),
    );
    sums.best += Math.min(...totals);
  }
  return {
    ...{ inlet_max_c, latency_max_ms },
    of_fixed: 1 - sums.best / sums.fixed,
    of_fixed_for_peak: 1 - sums.best / sums.fixed_for_peak,
  };
}

/** Pattern search (Hooke & Jeeves, 1961) over one rack's setpoints. */
function lowest(cost: (set: OracleSetpoints) => number, limits: OracleLimits): number {
  const axes = [
    ["fan_rpm_pct", limits.fan, 1],
    ["pump_rpm_pct", limits.pump, 1],
    ["batch_window_ms", limits.batch, 2],
  ] as const;
  let best = { fan_rpm_pct: 52, pump_rpm_pct: 62, batch_window_ms: WINDOW_MS };
  let value = cost(best);
  for (const step of STEPS) {
    for (let better = true; better; ) {
      better = false;
      for (const [axis, { min, max }, unit] of axes) {
        for (const by of [-step * unit, step * unit]) {
          const tried = { ...best, [axis]: Math.max(min, Math.min(max, best[axis] + by)) };
          const reached = cost(tried);
          if (reached >= value - 1e-7) continue;
          [best, value, better] = [tried, reached, true];
        }
      }
    }
  }
  return value;
}
