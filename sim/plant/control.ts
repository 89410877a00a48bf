import { FAN_LIMITS_PCT, type PlantParameters, PUMP_LIMITS_PCT, type SpeedCurve } from "./parameters.ts";
import type { Racks } from "./racks.ts";

/**
 * The rack's own (BMC) control of fans and pump: a curve over the temperature of the mass node. An override
 * replaces it, but hardware protection lets no override fall more than a margin below the curve.
 */
export function createControl(p: PlantParameters): (racks: Racks, dt_s: number) => void {
  const fanCurve = compileCurve(p.fan_curve);
  const pumpCurve = compileCurve(p.pump_curve);
  const [fan_min, fan_max] = FAN_LIMITS_PCT;
  const [pump_min, pump_max] = PUMP_LIMITS_PCT;
  const wanted = (automatic: number, bias_pct: number, override_pct: number) =>
    Number.isNaN(override_pct) ? automatic + bias_pct : Math.max(override_pct, automatic - p.protection_pct);

  return ({ count, mass_c, fan_pct, pump_pct, condition, target }, dt_s) => {
    const follow = 1 - Math.exp(-dt_s / p.actuator_lag_s);
    for (let i = 0; i < count; i++) {
      const fan = wanted(fanCurve(mass_c[i]!), condition.fan_bias_pct[i]!, target.fan_rpm_pct[i]!);
      const pump = wanted(pumpCurve(mass_c[i]!), condition.pump_bias_pct[i]!, target.pump_rpm_pct[i]!);
      // A failed fan lowers the mean speed that the rack reports; a worn pump keeps its speed and loses flow (heat.ts).
      const fan_reached = Math.max(fan_min, Math.min(fan_max, fan)) * condition.fan_capacity[i]!;
      const pump_reached = Math.max(pump_min, Math.min(pump_max, pump));
      fan_pct[i]! += follow * (fan_reached - fan_pct[i]!);
      pump_pct[i]! += follow * (pump_reached - pump_pct[i]!);
    }
  };
}

/** Linear between the curve's points, flat beyond its ends. */
function compileCurve(curve: SpeedCurve): (temperature_c: number) => number {
  const x = Float64Array.from(curve, (point) => point[0]);
  const y = Float64Array.from(curve, (point) => point[1]);
  const last = curve.length - 1;
  return (temperature_c) => {
    if (temperature_c <= x[0]!) return y[0]!;
    for (let k = 1; k <= last; k++) {
      if (temperature_c >= x[k]!) continue;
      return y[k - 1]! + ((y[k]! - y[k - 1]!) * (temperature_c - x[k - 1]!)) / (x[k]! - x[k - 1]!);
    }
    return y[last]!;
  };
}
