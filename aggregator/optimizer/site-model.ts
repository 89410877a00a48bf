import type { AggregatorConfig } from "../../shared/contracts/config.ts";

/**
 * What the planner takes from data sheets and literature, because a rack's telemetry does not show it: the machines'
 * rated power and the cooling plant. All of it is configuration (`savings` and `optimizer.equipment`).
 */
export interface Equipment {
  /** Power at full speed; below it the cube law holds (affinity laws: ASHRAE Handbook, Fans; Pumps). */
  fan_full_kw: number;
  pump_full_kw: number;
  /** Chillers for the air and the water side, at the temperature `cop_ref_c` that they deliver. */
  air_cop: number;
  water_cop: number;
  /** Gain of the COP per K of warmer supply: 2–3 % (ASHRAE Handbook, HVAC Systems, ch. 43). */
  cop_per_k: number;
  cop_ref_c: number;
  /** Water that the cold plates get. */
  water_c: number;
  /** Load at which a rack's queue grows without bound. */
  capacity_tokens_ps: number;
  /** The batching window that a rack uses when none is set. */
  batch_window_ms: number;
}

export function equipmentOf(config: Pick<AggregatorConfig, "optimizer" | "savings">): Equipment {
  const { pump_full_kw, air_cop, water_cop, cop_per_k, cop_ref_c, water_c } = config.savings;
  return { pump_full_kw, air_cop, water_cop, cop_per_k, cop_ref_c, water_c, ...config.optimizer.equipment };
}

/** Electricity of the cooling plant for one rack's heat; the pump's power ends in the water. */
export function coolingKw(
  heat: { air_kw: number; water_kw: number; pump_kw: number },
  supply_c: number,
  equipment: Equipment,
): number {
  const { air_cop, water_cop, water_c } = equipment;
  return (
    Math.max(0, heat.air_kw) / copAt(air_cop, supply_c, equipment) +
    Math.max(0, heat.water_kw + heat.pump_kw) / copAt(water_cop, water_c, equipment) +
    heat.pump_kw
  );
}

function copAt(cop: number, delivered_c: number, { cop_per_k, cop_ref_c }: Equipment): number {
  return cop * Math.max(0.3, 1 + cop_per_k * (delivered_c - cop_ref_c));
}
