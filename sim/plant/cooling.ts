import { cube } from "./electricity.ts";
import { waterC } from "./heat.ts";
import type { PlantParameters } from "./parameters.ts";
import type { Racks } from "./racks.ts";

/** The site's cooling plant: air handlers and chiller for the air side, CDU and its own chiller for the water. */
export interface CoolingPlant {
  /** Setpoint of the supply air, and what the plant delivers at this moment. */
  setpoint_c: number;
  supply_c: number;
  /** Totals of the last step. */
  air_rejected_kw: number;
  water_rejected_kw: number;
  electricity_kw: number;
}

export function createCoolingPlant(p: PlantParameters): CoolingPlant {
  return {
    setpoint_c: p.supply_c,
    supply_c: p.supply_c,
    air_rejected_kw: 0,
    water_rejected_kw: 0,
    electricity_kw: 0,
  };
}

/** The delivered air follows setpoint and local bias with the lag of coil and plenum. */
export function supplyAir(plant: CoolingPlant, racks: Racks, dt_s: number, p: PlantParameters): void {
  const follow = 1 - Math.exp(-dt_s / p.supply_lag_s);
  plant.supply_c += follow * (plant.setpoint_c - plant.supply_c);
  for (let i = 0; i < racks.count; i++) {
    const wanted_c = plant.setpoint_c + racks.condition.supply_bias_c[i]!;
    racks.supply_c[i]! += follow * (wanted_c - racks.supply_c[i]!);
  }
}

/**
 * Heat that arrives at the coils, summed from the air handlers' and the CDU's side (return minus supply
 * enthalpy; the pumps' power ends up in the water), and the electricity to get rid of it. The chillers' COP
 * improves with the temperature they have to deliver: 2–3 % per K (ASHRAE Handbook, HVAC Systems, ch. 43).
 */
export function rejectHeat(plant: CoolingPlant, racks: Racks, p: PlantParameters): void {
  let air_kw = 0;
  let water_kw = 0;
  let air_chiller_kw = 0;
  let water_chiller_kw = 0;
  let blower_kw = 0;
  let pump_kw = 0;
  for (let i = 0; i < racks.count; i++) {
    const flow = racks.air_flow_kw_per_k[i]!;
    const recirculated = racks.recirculated_share[i]!;
    const returned_kw = flow * (racks.outlet_c[i]! - recirculated * racks.hot_c[i]!);
    const supplied_kw = flow * (1 - recirculated) * racks.supply_c[i]!;
    air_kw += returned_kw - supplied_kw;
    const into_water_kw = racks.liquid_kw[i]! + racks.pump_kw[i]!;
    water_kw += into_water_kw;
    pump_kw += racks.pump_kw[i]!;
    // What counts is the lift: a warmer day outdoors costs as much as a colder supply.
    const outdoor_c = racks.condition.outdoor_bias_c[i]!;
    air_chiller_kw += (returned_kw - supplied_kw) / copAt(p.air_cop, racks.supply_c[i]! - outdoor_c, p);
    water_chiller_kw += into_water_kw / copAt(p.water_cop, waterC(racks, i, p) - outdoor_c, p);
    blower_kw += p.blower_kw * cube(Math.max(1, racks.condition.tile_factor[i]!));
  }
  plant.air_rejected_kw = air_kw;
  plant.water_rejected_kw = water_kw;
  plant.electricity_kw = Math.max(0, air_chiller_kw) + water_chiller_kw + blower_kw + pump_kw;
}

function copAt(cop: number, delivered_c: number, p: PlantParameters): number {
  return cop * (1 + p.cop_per_k * (delivered_c - p.cop_ref_c));
}
