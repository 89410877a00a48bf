import type { RackTarget } from "../../shared/contracts/action.ts";
import { FAN_LIMITS_PCT, PUMP_LIMITS_PCT } from "../plant/parameters.ts";
import type { Plant } from "../plant/plant.ts";

export type SpeedTarget = Extract<RackTarget, "fan_rpm_pct" | "pump_rpm_pct">;

/** What the device itself accepts, in percent of full speed. */
export const SPEED_RANGE_PCT: Record<SpeedTarget, readonly [min: number, max: number]> = {
  fan_rpm_pct: FAN_LIMITS_PCT,
  pump_rpm_pct: PUMP_LIMITS_PCT,
};

/** One speed controller of the rack, as every protocol shows it. */
export interface SpeedControl {
  readonly target: SpeedTarget;
  readonly range_pct: readonly [min: number, max: number];
  readonly automatic: boolean;
  /** The override; while automatic the last one given, at first the speed at which the device was switched on. */
  readonly setpoint_pct: number;
  accepts(value_pct: number): boolean;
  /** Overrides the automatic control. The caller has asked `accepts`; what it refuses is ignored here. */
  override(value_pct: number): void;
  /** Overrides with the current setpoint, or returns to automatic control. */
  setAutomatic(automatic: boolean): void;
}

export function speedControl(plant: Plant, rack_id: string, target: SpeedTarget): SpeedControl {
  const range_pct = SPEED_RANGE_PCT[target];
  const [min_pct, max_pct] = range_pct;
  const initial_pct = Math.round(plant.truth(rack_id)[target] * 10) / 10;
  let last_pct = Math.max(min_pct, Math.min(max_pct, initial_pct));
  const control: SpeedControl = {
    target,
    range_pct,
    get automatic() {
      return plant.target(rack_id, target) === null;
    },
    get setpoint_pct() {
      return plant.target(rack_id, target) ?? last_pct;
    },
    accepts: (value_pct) => value_pct >= min_pct && value_pct <= max_pct,
    override(value_pct) {
      if (!control.accepts(value_pct)) return;
      last_pct = value_pct;
      plant.setTarget(rack_id, target, value_pct);
    },
    setAutomatic(automatic) {
      if (automatic) plant.setTarget(rack_id, target, null);
      else if (control.automatic) control.override(control.setpoint_pct);
    },
  };
  return control;
}
