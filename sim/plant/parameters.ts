import type { ServingParameters } from "../workload/serving.ts";
import { SERVING_DEFAULTS } from "../workload/serving.ts";

/** A piecewise-linear control curve: ascending [temperature in °C, speed in percent] points, flat beyond its ends. */
export type SpeedCurve = readonly (readonly [temperature_c: number, speed_pct: number])[];

/**
 * The constants of the plant, calibrated so that each operating regime lies in the recipe's ranges (design §4).
 * A rack is hybrid-cooled: cold plates on the GPUs, air for all the rest.
 */
export interface PlantParameters extends ServingParameters {
  /** Cooling-air setpoint of the air handlers and the lag with which the delivered air follows it. */
  supply_c: number;
  supply_lag_s: number;
  /** Water that the CDU feeds to the cold plates. */
  water_c: number;

  /** Heat capacity of chassis, heat sinks and coolant in the rack: one lumped node. */
  mass_kj_per_k: number;
  /** ρ·c_p·flow at full fan speed; flow is proportional to rpm (fan affinity laws). */
  air_kw_per_k: number;
  /** Share of fan flow that natural draught still moves when every fan stands still. */
  draught_share: number;
  /** Heat-exchanger effectiveness between the mass node and the air stream. */
  air_effectiveness: number;
  /** Share of the IT power (memory, voltage regulators, power supplies) that goes into the air directly. */
  direct_air_share: number;
  /** Cold-plate conductance at full flow, and the share of its thermal resistance that no flow can remove. */
  cold_plate_kw_per_k: number;
  cold_plate_fixed_share: number;

  /** Air that a tile delivers, as the fan speed that draws just as much. */
  tile_fan_pct: number;
  /** Hot air that reaches the inlet even when the tile gives enough (gaps, blanking panels). */
  leak_share: number;
  /** Share of the air missing at the tile that is drawn from the hot aisle; the rest is spare cold-aisle air. */
  hot_makeup_share: number;
  /** Share of the hot air at a rack that each neighbour in the row contributes. */
  neighbour_share: number;
  /** Turbulent entrainment: standard deviation and correlation time of the recirculated share. */
  eddy_share: number;
  eddy_s: number;

  /** Rack power without load and per token; the GPUs' share; leakage current's growth with temperature. */
  idle_kw: number;
  joule_per_token: number;
  gpu_share: number;
  leakage_per_k: number;
  leakage_ref_c: number;
  /** Power at full speed; both obey the cube law. */
  fan_full_kw: number;
  pump_full_kw: number;

  /** GPU junction: rise above the mass node per kW of GPU power, thermal lag, throttling onset and slope. */
  junction_k_per_kw: number;
  junction_lag_s: number;
  throttle_c: number;
  throttle_per_k: number;
  throttle_floor: number;
  /** Share of the clock that a power cap always leaves. */
  capped_floor: number;

  /** The rack's own (BMC) control: speed over mass temperature, lag, and how far an override may undercut it. */
  fan_curve: SpeedCurve;
  pump_curve: SpeedCurve;
  actuator_lag_s: number;
  protection_pct: number;

  /** Chiller for the air side and for the water side, referred to their temperatures (see cooling.ts). */
  air_cop: number;
  water_cop: number;
  cop_per_k: number;
  cop_ref_c: number;
  /** Air-handler blower power per rack at the design flow. */
  blower_kw: number;
}

export const PLANT_DEFAULTS: PlantParameters = {
  ...SERVING_DEFAULTS,
  supply_c: 19.4,
  supply_lag_s: 90,
  water_c: 25,

  mass_kj_per_k: 60,
  air_kw_per_k: 0.43,
  draught_share: 0.12,
  air_effectiveness: 0.4,
  direct_air_share: 0.2,
  cold_plate_kw_per_k: 0.32,
  cold_plate_fixed_share: 0.4,

  tile_fan_pct: 54,
  leak_share: 0.08,
  hot_makeup_share: 0.6,
  neighbour_share: 0.2,
  eddy_share: 0.01,
  eddy_s: 3,

  idle_kw: 1.7,
  joule_per_token: 0.72,
  gpu_share: 0.725,
  leakage_per_k: 0.004,
  leakage_ref_c: 44,
  fan_full_kw: 0.95,
  pump_full_kw: 0.35,

  junction_k_per_kw: 5,
  junction_lag_s: 8,
  throttle_c: 85,
  throttle_per_k: 0.1,
  throttle_floor: 0.4,
  capped_floor: 0.02,

  fan_curve: [
    [36, 48],
    [39, 54.5],
    [42, 62],
    [45, 72],
    [48, 87],
    [52, 96],
    [56, 100],
  ],
  pump_curve: [
    [36, 43.5],
    [39, 50],
    [42, 56.5],
    [45, 64.5],
    [48, 77],
    [52, 85],
    [56, 90],
  ],
  actuator_lag_s: 10,
  protection_pct: 12,

  air_cop: 4.5,
  water_cop: 11,
  cop_per_k: 0.025,
  cop_ref_c: 20,
  blower_kw: 0.14,
};

/** Hard limits of the actuators in percent of full speed. */
export const FAN_LIMITS_PCT = [40, 100] as const;
export const PUMP_LIMITS_PCT = [35, 90] as const;

/** The hall's lasting unevenness: row C has the smaller share of cold air, row E the larger, and less to do. */
export const ROW_TILE_SHARE: Readonly<Record<string, number>> = { C: 0.992, E: 1.015 };
export const ROW_LOAD_SHARE: Readonly<Record<string, number>> = { E: 0.96 };
/** Spread (standard deviation) between racks of a row. */
export const RACK_SPREAD = { tile: 0.003, air: 0.004, cold_plate: 0.005 } as const;
