import { RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import type { Random } from "../../shared/random.ts";
import { spread } from "../workload/processes.ts";
import { CONDITION_DEFAULTS, type RackConditions } from "./conditions.ts";
import type { Layout } from "./layout.ts";
import { type PlantParameters, RACK_SPREAD, ROW_TILE_SHARE } from "./parameters.ts";

type Column = Float64Array;
type Columns<K extends string> = Record<K, Column>;

const STATE_FIELDS = [
  // workload
  "demand_tokens_ps",
  "assigned_tokens_ps",
  "offered_tokens_ps",
  "served_tokens_ps",
  "blocked_tokens_ps",
  "deferred_tokens_ps",
  "burst_tokens_ps",
  "utilisation",
  "wait_ms",
  "latency_p95_ms",
  "queue_depth",
  // electricity
  "it_kw",
  "gpu_kw",
  "fan_kw",
  "pump_kw",
  "gpu_energy_j",
  // heat
  "mass_c",
  "mass_before_c",
  "junction_c",
  "eddy",
  "recirculated_share",
  "hot_c",
  "supply_c",
  "inlet_c",
  "outlet_c",
  "air_flow_kw_per_k",
  "air_kw",
  "liquid_kw",
  // actuators
  "fan_pct",
  "pump_pct",
  // what the sensing elements have followed so far
  "inlet_sensed_c",
  "outlet_sensed_c",
  "pdu_sensed_kw",
  "inlet_slow_c",
  // lasting differences between racks, as factors
  "tile_spread",
  "air_spread",
  "cold_plate_spread",
] as const;

/** The racks' state as one typed column per quantity, so that a step runs over plain arrays. */
export interface Racks extends Columns<(typeof STATE_FIELDS)[number]> {
  count: number;
  /** NaN: the rack's own control. */
  target: Columns<RackTarget>;
  condition: Columns<keyof RackConditions>;
}

export function createRacks(layout: Layout, parameters: PlantParameters, random: Random): Racks {
  const count = layout.rack_ids.length;
  const racks: Racks = {
    count,
    ...columns(STATE_FIELDS, count),
    target: columns(RACK_TARGETS, count),
    condition: columns(Object.keys(CONDITION_DEFAULTS) as (keyof RackConditions)[], count),
  };
  for (const target of RACK_TARGETS) racks.target[target].fill(Number.NaN);
  for (const [name, value] of Object.entries(CONDITION_DEFAULTS)) {
    racks.condition[name as keyof RackConditions].fill(value);
  }
  for (let i = 0; i < count; i++) {
    const row_share = ROW_TILE_SHARE[layout.row_of[i]!] ?? 1;
    racks.tile_spread[i] = row_share * spread(random, RACK_SPREAD.tile);
    racks.air_spread[i] = spread(random, RACK_SPREAD.air);
    racks.cold_plate_spread[i] = spread(random, RACK_SPREAD.cold_plate);
  }
  racks.supply_c.fill(parameters.supply_c);
  for (const name of ["inlet_c", "inlet_sensed_c", "inlet_slow_c"] as const) racks[name].fill(22);
  for (const name of ["outlet_c", "outlet_sensed_c", "hot_c"] as const) racks[name].fill(34);
  for (const name of ["mass_c", "mass_before_c"] as const) racks[name].fill(43);
  racks.junction_c.fill(70);
  racks.fan_pct.fill(60);
  racks.pump_pct.fill(55);
  return racks;
}

function columns<K extends string>(names: readonly K[], count: number): Columns<K> {
  return Object.fromEntries(names.map((name) => [name, new Float64Array(count)])) as Columns<K>;
}
