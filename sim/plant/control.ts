import { FAN_LIMITS_PCT, type PlantParameters, PUMP_LIMITS_PCT, type SpeedCurve } from "./parameters.ts";
import type { Racks } from "./racks.ts";

/**
 * The rack's own (BMC) control of fans and pump: a curve over the temperature of the mass node. An override
 * replaces it, but hardware protection lets no override fall more than a margin below the curve.
 */
export function controlActuators(racks: Racks, dt_s: number, p: PlantParameters): void {
  const follow = 1 - Math.exp(-dt_s / p.actuator_lag_s);
  const { condition, target } = racks;
  for (let i = 0; i < racks.count; i++) {
    const mass_c = racks.mass_c[i]!;
    const fan = command(
      p.fan_curve,
      mass_c,
      condition.fan_bias_pct[i]!,
      target.fan_rpm_pct[i]!,
      FAN_LIMITS_PCT,
      p,
    );
    const pump = command(
      p.pump_curve,
      mass_c,
      condition.pump_bias_pct[i]!,
      target.pump_rpm_pct[i]!,
      PUMP_LIMITS_PCT,
      p,
    );
    // A failed fan lowers the mean speed that the rack reports; a worn pump keeps its speed and loses flow (heat.ts).
    racks.fan_pct[i]! += follow * (fan * condition.fan_capacity[i]! - racks.fan_pct[i]!);
    racks.pump_pct[i]! += follow * (pump - racks.pump_pct[i]!);
  }
}

function command(
  curve: SpeedCurve,
  mass_c: number,
  bias_pct: number,
  override_pct: number,
  [low, high]: readonly [number, number],
  p: PlantParameters,
): number {
  const automatic = speedAt(curve, mass_c);
  const wanted = Number.isNaN(override_pct)
    ? automatic + bias_pct
    : Math.max(override_pct, automatic - p.protection_pct);
  return Math.max(low, Math.min(high, wanted));
}

export function speedAt(curve: SpeedCurve, temperature_c: number): number {
  let [x0, y0] = curve[0]!;
  if (temperature_c <= x0) return y0;
  for (let k = 1; k < curve.length; k++) {
    const [x1, y1] = curve[k]!;
    if (temperature_c < x1) return y0 + ((y1 - y0) * (temperature_c - x0)) / (x1 - x0);
    x0 = x1;
    y0 = y1;
  }
  return y0;
}
