import type { Random } from "../../shared/random.ts";
import { relax } from "../workload/processes.ts";
import type { Layout } from "./layout.ts";
import type { PlantParameters } from "./parameters.ts";
import type { Racks } from "./racks.ts";

/** Recirculation never takes over the whole inlet. */
const RECIRCULATED_MAX = 0.9;

/**
 * Inlet air of every rack. A rack that draws more than its tile delivers makes up the difference with hot-aisle
 * air, its own and its neighbours' in the row; so more fan speed can mean a warmer inlet. (Tozer, Kurkjian and
 * Salim, "Air management metrics in data centers", ASHRAE Transactions 115(1), 2009: recirculation R = 1 − tile
 * flow / server flow.)
 */
export function mixInletAir(
  racks: Racks,
  layout: Layout,
  dt_s: number,
  random: Random,
  p: PlantParameters,
): void {
  relax(racks.eddy, p.eddy_share, Math.exp(-dt_s / p.eddy_s), random);
  const { left, right } = layout;
  const own_share = 1 - 2 * p.neighbour_share;
  for (let i = 0; i < racks.count; i++) {
    const flow = airFlow(racks, i, p);
    const tile =
      (p.air_kw_per_k * p.tile_fan_pct * racks.tile_spread[i]! * racks.condition.tile_factor[i]!) / 100;
    const missing = Math.max(0, 1 - tile / flow);
    const share = p.leak_share + p.hot_makeup_share * missing + racks.eddy[i]!;
    const recirculated = Math.max(0, Math.min(RECIRCULATED_MAX, share));
    const hot_c =
      own_share * racks.outlet_c[i]! +
      p.neighbour_share * (racks.outlet_c[left[i]!]! + racks.outlet_c[right[i]!]!);
    racks.air_flow_kw_per_k[i] = flow;
    racks.recirculated_share[i] = recirculated;
    racks.hot_c[i] = hot_c;
    racks.inlet_c[i] = (1 - recirculated) * racks.supply_c[i]! + recirculated * hot_c;
  }
}

/** ρ·c_p·flow in kW/K: proportional to fan speed, with what natural draught keeps moving as its floor. */
function airFlow(racks: Racks, i: number, p: PlantParameters): number {
  const speed = Math.max(p.draught_share, racks.fan_pct[i]! / 100);
  return p.air_kw_per_k * racks.air_spread[i]! * speed;
}

/**
 * One explicit step of the heat balance: the mass node takes the IT power that does not go into the air
 * directly and gives it to the air stream (effectiveness–NTU form, Incropera & DeWitt §11.4) and to the cold
 * plates. Its time constant is about 60 kJ/K ÷ 0.35 kW/K ≈ 3 min, so steps up to 5 s are stable.
 */
export function exchangeHeat(racks: Racks, dt_s: number, p: PlantParameters): void {
  for (let i = 0; i < racks.count; i++) {
    const mass_c = racks.mass_c[i]!;
    const inlet_c = racks.inlet_c[i]!;
    const flow = racks.air_flow_kw_per_k[i]!;
    const direct_kw = racks.it_kw[i]! * p.direct_air_share + racks.fan_kw[i]!;
    const mass_to_air_kw = p.air_effectiveness * flow * (mass_c - inlet_c);
    const liquid_kw = coldPlateConductance(racks, i, p) * (mass_c - waterC(racks, i, p));
    const into_mass_kw = racks.it_kw[i]! * (1 - p.direct_air_share) - mass_to_air_kw - liquid_kw;

    racks.outlet_c[i] = inlet_c + (direct_kw + mass_to_air_kw) / flow;
    racks.air_kw[i] = flow * (racks.outlet_c[i]! - inlet_c);
    racks.liquid_kw[i] = liquid_kw;
    racks.mass_before_c[i] = mass_c;
    racks.mass_c[i] = mass_c + (into_mass_kw * dt_s) / p.mass_kj_per_k;
  }
}

/** The water that reaches the rack's cold plates. */
export function waterC(racks: Racks, i: number, p: PlantParameters): number {
  return p.water_c + racks.condition.water_bias_c[i]!;
}

/**
 * Cold plate in kW/K: conduction and convection in series; convective resistance falls with flow^0.8
 * (Dittus–Boelter), flow is proportional to pump speed.
 */
function coldPlateConductance(racks: Racks, i: number, p: PlantParameters): number {
  const flow_share = (racks.pump_pct[i]! / 100) * racks.condition.pump_capacity[i]!;
  if (flow_share <= 0) return 0;
  const resistance = p.cold_plate_fixed_share + (1 - p.cold_plate_fixed_share) * flow_share ** -0.8;
  return (p.cold_plate_kw_per_k * racks.cold_plate_spread[i]!) / resistance;
}
