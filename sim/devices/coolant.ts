import { PLANT_DEFAULTS } from "../plant/parameters.ts";
import type { RackTruth } from "../plant/truth.ts";

/** A healthy pump at full speed. */
const FULL_FLOW_LPM = 16;
/** ρ·c_p of a water–glycol mix (PG25): 1.02 kg/L × 3.9 kJ/kg/K. */
const KJ_PER_L_K = 3.98;
/** Static pressure of the loop, and what the pump adds at full flow (∝ flow²). */
const STATIC_KPA = 120;
const PUMP_HEAD_KPA = 160;

/** The rack's secondary loop at the CDU. */
export interface CoolantLoop {
  supply_c: number;
  return_c: number;
  flow_lpm: number;
  pressure_kpa: number;
  heat_kw: number;
}

/** The plant knows the heat and the share of full flow; return temperature follows from the heat balance. */
export function coolantLoop(truth: RackTruth): CoolantLoop {
  const supply_c = PLANT_DEFAULTS.water_c;
  const flow_lpm = FULL_FLOW_LPM * truth.coolant_flow_share;
  const heat_kw = truth.liquid_kw;
  const carried_kw_per_k = (flow_lpm / 60) * KJ_PER_L_K;
  return {
    supply_c,
    return_c: carried_kw_per_k > 0 ? supply_c + heat_kw / carried_kw_per_k : supply_c,
    flow_lpm,
    pressure_kpa: STATIC_KPA + PUMP_HEAD_KPA * truth.coolant_flow_share ** 2,
    heat_kw,
  };
}
