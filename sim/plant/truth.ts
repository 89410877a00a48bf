import type { PlantParameters } from "./parameters.ts";
import type { Racks } from "./racks.ts";

/** The operating regimes of the described system's profiles (design §4). */
export const REGIMES = ["nominal", "high_load", "thermal_event", "under_utilized", "overcooled"] as const;
export type Regime = (typeof REGIMES)[number];

/** Regime borders: half-way between the profiles' ranges. */
const HOT_INLET_C = 26.5;
const COLD_INLET_C = 20.3;
const COLD_FAN_PCT = 70;
const HIGH_TOKENS_PS = 10_000;
const LOW_TOKENS_PS = 6_000;

/** What really is, without sensors in between. */
export interface RackTruth {
  rack_id: string;
  regime: Regime;
  /** Kinds of the faults that act on the rack, joined by "+", or "none". */
  fault: string;
  supply_c: number;
  inlet_c: number;
  outlet_c: number;
  mass_c: number;
  junction_c: number;
  recirculated_share: number;
  pdu_kw: number;
  it_kw: number;
  gpu_kw: number;
  fan_kw: number;
  pump_kw: number;
  air_kw: number;
  liquid_kw: number;
  /** Coolant flow as a share of the flow of a healthy pump at full speed. */
  coolant_flow_share: number;
  fan_rpm_pct: number;
  pump_rpm_pct: number;
  /** Mean demand before routing, after routing and admission, and what arrived and was served in this step. */
  demand_tokens_ps: number;
  assigned_tokens_ps: number;
  offered_tokens_ps: number;
  tokens_ps: number;
  latency_p95_ms: number;
  queue_depth: number;
  clock_share: number;
}

export function rackTruth(
  racks: Racks,
  i: number,
  about: { rack_id: string; fault: string; clock_share: number },
): RackTruth {
  return {
    ...about,
    regime: regimeOf(racks, i),
    supply_c: racks.supply_c[i]!,
    inlet_c: racks.inlet_c[i]!,
    outlet_c: racks.outlet_c[i]!,
    mass_c: racks.mass_c[i]!,
    junction_c: racks.junction_c[i]!,
    recirculated_share: racks.recirculated_share[i]!,
    pdu_kw: racks.it_kw[i]! + racks.fan_kw[i]!,
    it_kw: racks.it_kw[i]!,
    gpu_kw: racks.gpu_kw[i]!,
    fan_kw: racks.fan_kw[i]!,
    pump_kw: racks.pump_kw[i]!,
    air_kw: racks.air_kw[i]!,
    liquid_kw: racks.liquid_kw[i]!,
    coolant_flow_share: (racks.pump_pct[i]! / 100) * racks.condition.pump_capacity[i]!,
    fan_rpm_pct: racks.fan_pct[i]!,
    pump_rpm_pct: racks.pump_pct[i]!,
    demand_tokens_ps: racks.demand_tokens_ps[i]!,
    assigned_tokens_ps: racks.assigned_tokens_ps[i]!,
    offered_tokens_ps: racks.offered_tokens_ps[i]!,
    tokens_ps: racks.served_tokens_ps[i]!,
    latency_p95_ms: racks.latency_p95_ms[i]!,
    queue_depth: racks.queue_depth[i]!,
  };
}

/** Judged by what lasts (slow inlet, mean load), so that a label does not flicker with every eddy and burst. */
function regimeOf(racks: Racks, i: number): Regime {
  const inlet_c = racks.inlet_slow_c[i]!;
  if (inlet_c >= HOT_INLET_C) return "thermal_event";
  if (inlet_c <= COLD_INLET_C && racks.fan_pct[i]! >= COLD_FAN_PCT) return "overcooled";
  const tokens_ps = racks.assigned_tokens_ps[i]!;
  if (tokens_ps >= HIGH_TOKENS_PS) return "high_load";
  return tokens_ps < LOW_TOKENS_PS ? "under_utilized" : "nominal";
}

/** Energy of the last step, every term summed from its own side of the process. */
export interface EnergyBalance {
  /** Drawn by IT and fans. */
  electrical_j: number;
  /** Taken up by the mass node. */
  stored_j: number;
  /** Handed to the air stream and to the cold plates. */
  air_j: number;
  liquid_j: number;
  /** Drawn by the coolant pumps; its heat ends in the water. */
  pump_j: number;
}

export interface SiteBalance extends EnergyBalance {
  /** What arrives at the air handlers' coils and at the CDUs' heat exchangers. */
  rejected_j: number;
  cooling_plant_j: number;
  racks: EnergyBalance[];
}

export function rackBalance(racks: Racks, i: number, dt_s: number, p: PlantParameters): EnergyBalance {
  const joules = (kw: number) => kw * 1000 * dt_s;
  return {
    electrical_j: joules(racks.it_kw[i]! + racks.fan_kw[i]!),
    stored_j: p.mass_kj_per_k * 1000 * (racks.mass_c[i]! - racks.mass_before_c[i]!),
    air_j: joules(racks.air_kw[i]!),
    liquid_j: joules(racks.liquid_kw[i]!),
    pump_j: joules(racks.pump_kw[i]!),
  };
}
