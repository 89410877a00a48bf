/**
 * What is done to a rack from outside its own control loop: by a scenario or by a fault. Several may act at
 * once; they combine per quantity as the table below says.
 */
export interface RackConditions {
  /** Factor on the air that the tile delivers. */
  tile_factor: number;
  /** Offset of the air handler's setpoint for this rack. */
  supply_bias_c: number;
  /** Offset of the water that the CDU can give this rack. */
  water_bias_c: number;
  /** How much warmer it is outdoors than the chillers' efficiencies assume. */
  outdoor_bias_c: number;
  /** Offsets that a wrong configuration adds to the rack's own fan and pump control. */
  fan_bias_pct: number;
  pump_bias_pct: number;
  /** Factors on what the fans and the pump can still deliver. */
  fan_capacity: number;
  pump_capacity: number;
  /** Factor on the rack's demand, and a floor under it (nodes added for a steady job). */
  load_factor: number;
  load_floor_tokens_ps: number;
}

export const CONDITION_DEFAULTS: RackConditions = {
  tile_factor: 1,
  supply_bias_c: 0,
  water_bias_c: 0,
  outdoor_bias_c: 0,
  fan_bias_pct: 0,
  pump_bias_pct: 0,
  fan_capacity: 1,
  pump_capacity: 1,
  load_factor: 1,
  load_floor_tokens_ps: 0,
};

const times = (a: number, b: number) => a * b;
const plus = (a: number, b: number) => a + b;

const COMBINE: Record<keyof RackConditions, (a: number, b: number) => number> = {
  tile_factor: times,
  supply_bias_c: plus,
  water_bias_c: plus,
  outdoor_bias_c: plus,
  fan_bias_pct: plus,
  pump_bias_pct: plus,
  fan_capacity: times,
  pump_capacity: times,
  load_factor: times,
  load_floor_tokens_ps: Math.max,
};

export interface Imposed {
  racks: readonly number[];
  conditions: Partial<RackConditions>;
}

/** Recomputes every rack's conditions from all that is imposed now. */
export function combineConditions(
  columns: Record<keyof RackConditions, Float64Array>,
  imposed: Iterable<Imposed>,
): void {
  for (const [name, value] of entries(CONDITION_DEFAULTS)) columns[name].fill(value);
  for (const { racks, conditions } of imposed) {
    for (const [name, value] of entries(conditions)) {
      const column = columns[name];
      for (const i of racks) column[i] = COMBINE[name](column[i]!, value);
    }
  }
}

function entries(conditions: Partial<RackConditions>): [keyof RackConditions, number][] {
  return Object.entries(conditions) as [keyof RackConditions, number][];
}
