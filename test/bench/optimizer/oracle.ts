import { seededRandom } from "../../../shared/random.ts";
import { combineConditions, type RackConditions } from "../../../sim/plant/conditions.ts";
import { EQUIPMENT_FAULTS, isSensorFault } from "../../../sim/plant/faults.ts";
import { createLayout } from "../../../sim/plant/layout.ts";
import { PLANT_DEFAULTS, type SpeedCurve } from "../../../sim/plant/parameters.ts";
import { createRacks } from "../../../sim/plant/racks.ts";
import { batchCost, bufferState } from "../../../sim/workload/serving.ts";
import type { ScheduledFault } from "../fault-schedule.ts";

/** What a rack is asked to do, and what the plant's equations make of it in the steady state. */
export interface OracleSetpoints {
  fan_rpm_pct: number;
  pump_rpm_pct: number;
  batch_window_ms: number;
}

export interface OracleLimits {
  inlet_max_c: number;
  latency_max_ms: number;
  supply: { min: number; max: number };
  fan: { min: number; max: number };
  pump: { min: number; max: number };
  batch: { min: number; max: number };
}

export interface SteadyState {
  inlet_c: number;
  outlet_c: number;
  mass_c: number;
  fan_pct: number;
  pump_pct: number;
  latency_p95_ms: number;
  rack_kw: number;
  /** Rack and its share of the cooling plant. */
  total_kw: number;
  cooling_kw: number;
}

interface RackKnowledge {
  tokens_ps: number;
  /** What each neighbour's hot air adds, °C × share. */
  neighbours_c: number;
  supply_bias_c: number;
}

const p = PLANT_DEFAULTS;
const FLOOR_PASSES = 4;

/** The plant's own equations in the steady state, with every rack's true constants. */
export function createOracle(seed: number, rack_ids: readonly string[], limits: OracleLimits) {
  const random = seededRandom(seed).fork("plant");
  const layout = createLayout(rack_ids);
  const racks = createRacks(layout, p, random.fork("racks"));
  const condition = racks.condition;
  const chosen = rack_ids.map(
    (): OracleSetpoints => ({ fan_rpm_pct: 55, pump_rpm_pct: 60, batch_window_ms: p.batch_window_ms }),
  );
  let supply_c = p.supply_c;

  const steady = (i: number, supply: number, set: OracleSetpoints, know: RackKnowledge): SteadyState => {
    const cost = batchCost(set.batch_window_ms, p);
    const power = p.idle_kw + (know.tokens_ps * p.joule_per_token * cost) / 1000;
    const a0 = power * (1 - p.leakage_per_k * p.leakage_ref_c);
    const a1 = power * p.leakage_per_k;
    const local_c = supply + know.supply_bias_c;
    const tile = (p.air_kw_per_k * p.tile_fan_pct * racks.tile_spread[i]! * condition.tile_factor[i]!) / 100;
    const own = 1 - 2 * p.neighbour_share;
    let fan = set.fan_rpm_pct;
    let pump = set.pump_rpm_pct;
    let state: SteadyState | undefined;
    for (let pass = 0; pass < FLOOR_PASSES; pass++) {
      const turning = fan * condition.fan_capacity[i]!;
      const flow = p.air_kw_per_k * racks.air_spread[i]! * Math.max(p.draught_share, turning / 100);
      const fan_kw = p.fan_full_kw * (turning / 100) ** 3;
      const pump_kw = p.pump_full_kw * (pump / 100) ** 3;
      const share = p.leak_share + p.hot_makeup_share * Math.max(0, 1 - tile / flow);
      const r = Math.max(0, Math.min(0.9, share));
      const e = p.air_effectiveness;
      const flow_share = (pump / 100) * condition.pump_capacity[i]!;
      const u =
        flow_share <= 0
          ? 0
          : (p.cold_plate_kw_per_k * racks.cold_plate_spread[i]!) /
            (p.cold_plate_fixed_share + (1 - p.cold_plate_fixed_share) * flow_share ** -0.8);
      const d = p.direct_air_share;
      const scale = 1 - own * r * (1 - e);
      const per_mass = e + (d * a1) / flow;
      const heat = (d * a0 + fan_kw) / flow;
      const in0 = ((1 - r) * local_c + r * know.neighbours_c + own * r * heat) / scale;
      const in1 = (own * r * per_mass) / scale;
      const mass_c =
        ((1 - d) * a0 + e * flow * in0 + u * p.water_c) / (e * flow * (1 - in1) + u - (1 - d) * a1);
      const inlet_c = in0 + in1 * mass_c;
      const it = a0 + a1 * mass_c;
      const liquid = u * (mass_c - p.water_c);
      const outlet_c = inlet_c + (d * it + fan_kw) / flow + e * (mass_c - inlet_c);
      const air = flow * (outlet_c - r * (own * outlet_c + know.neighbours_c)) - flow * (1 - r) * local_c;
      const plant_kw =
        Math.max(0, air) / cop(p.air_cop, local_c) +
        (liquid + pump_kw) / cop(p.water_cop, p.water_c) +
        p.blower_kw +
        pump_kw;
      state = {
        inlet_c,
        outlet_c,
        mass_c,
        fan_pct: fan,
        pump_pct: pump,
        latency_p95_ms: latency(know.tokens_ps, set.batch_window_ms, cost),
        rack_kw: it + fan_kw,
        total_kw: it + fan_kw + plant_kw,
        cooling_kw: fan_kw + plant_kw,
      };
      // The device's own protection holds the speed up; this depends on the temperature that the speed leads to.
      const fan_floor = Math.min(100, Math.max(set.fan_rpm_pct, at(p.fan_curve, mass_c) - p.protection_pct));
      const pump_floor = Math.min(
        90,
        Math.max(set.pump_rpm_pct, at(p.pump_curve, mass_c) - p.protection_pct),
      );
      if (Math.abs(fan_floor - fan) < 0.05 && Math.abs(pump_floor - pump) < 0.05) break;
      fan += 0.7 * (fan_floor - fan);
      pump += 0.7 * (pump_floor - pump);
    }
    return state!;
  };

  /** Where the usual window has no margin left, it stays the usual one, as for everyone. */
  const latencyLimit = (tokens_ps: number) =>
    Math.max(limits.latency_max_ms, latency(tokens_ps, p.batch_window_ms, 1));

  const value = (i: number, supply: number, set: OracleSetpoints, know: RackKnowledge) => {
    const s = steady(i, supply, set, know);
    const broken =
      Math.max(0, s.inlet_c - limits.inlet_max_c) * 5 +
      Math.max(0, s.latency_p95_ms - latencyLimit(know.tokens_ps)) * 0.2;
    return s.total_kw + broken;
  };

  /** Pattern search from the last optimum: the load moves slowly, so the optimum does, too. */
  const improve = (i: number, supply: number, from: OracleSetpoints, know: RackKnowledge) => {
    let best = { ...from };
    let best_value = value(i, supply, best, know);
    for (const step of [6, 2, 0.7]) {
      for (const [key, range, unit] of [
        ["fan_rpm_pct", limits.fan, 1],
        ["pump_rpm_pct", limits.pump, 1],
        ["batch_window_ms", limits.batch, 2],
      ] as const) {
        for (const sign of [-1, 1]) {
          const to = Math.max(range.min, Math.min(range.max, best[key] + sign * step * unit));
          const tried = { ...best, [key]: to };
          const v = value(i, supply, tried, know);
          if (v < best_value - 1e-7) {
            best = tried;
            best_value = v;
          }
        }
      }
    }
    return { set: best, value: best_value };
  };

  return {
    condition,
    steady,
    latencyLimit,
    /** @param active faults that act now */
    know(active: readonly ScheduledFault[]) {
      combineConditions(
        condition,
        active.flatMap(({ fault, racks: hit }) =>
          isSensorFault(fault)
            ? []
            : [
                {
                  racks: hit,
                  conditions: EQUIPMENT_FAULTS[fault.kind].conditions(
                    fault.severity,
                  ) as Partial<RackConditions>,
                },
              ],
        ),
      );
    },
    /** One round: the best supply near the last one, with every rack's best answer to it. */
    plan(tokens_ps: ArrayLike<number>, outlet_c: ArrayLike<number>, steps_c: readonly number[]) {
      const knowledge = rack_ids.map(
        (_, i): RackKnowledge => ({
          tokens_ps: tokens_ps[i]!,
          neighbours_c: p.neighbour_share * (outlet_c[layout.left[i]!]! + outlet_c[layout.right[i]!]!),
          supply_bias_c: condition.supply_bias_c[i]!,
        }),
      );
      let best: { supply: number; total: number; sets: OracleSetpoints[] } | undefined;
      for (const step of steps_c) {
        const supply = Math.max(limits.supply.min, Math.min(limits.supply.max, supply_c + step));
        const answers = knowledge.map((know, i) => improve(i, supply, chosen[i]!, know));
        const total = answers.reduce((sum, answer) => sum + answer.value, 0);
        if (!best || total < best.total) best = { supply, total, sets: answers.map((answer) => answer.set) };
      }
      supply_c = best!.supply;
      for (const [i, set] of best!.sets.entries()) chosen[i] = set;
      return { supply_c, sets: chosen };
    },
  };

  function latency(tokens_ps: number, window_ms: number, cost: number): number {
    const capacity = p.capacity_tokens_ps / cost;
    const rho = tokens_ps / capacity;
    const buffer = bufferState(rho, p.buffer_batches, { mean: 0, variance: 0, blocked_share: 0 });
    const batch_ms = (p.batch_tokens / capacity) * 1000;
    const wait_ms = rho > 0 ? (buffer.mean * batch_ms) / (rho * (1 - buffer.blocked_share)) - batch_ms : 0;
    return (
      p.pipeline_ms +
      p.full_batch_ms * Math.min(1, rho) +
      window_ms +
      Math.min(3 * wait_ms, p.buffer_batches * batch_ms)
    );
  }
}

function cop(base: number, delivered_c: number): number {
  return base * (1 + p.cop_per_k * (delivered_c - p.cop_ref_c));
}

function at(curve: SpeedCurve, temperature_c: number): number {
  const [first] = curve;
  if (temperature_c <= first![0]) return first![1];
  for (let k = 1; k < curve.length; k++) {
    const [x1, y1] = curve[k]!;
    if (temperature_c >= x1) continue;
    const [x0, y0] = curve[k - 1]!;
    return y0 + ((y1 - y0) * (temperature_c - x0)) / (x1 - x0);
  }
  return curve.at(-1)![1];
}
