import type { CommonPoint } from "./common.ts";
import { FIELD_UNITS, type Unit } from "./units.ts";

/**
 * The unit that a host's own sensors (IPMI, hwmon, nvidia-smi) tell a field in, where the configuration names none:
 * powers come in watts, speeds in rpm where it is said what full speed is.
 */
export function hostUnit({ field, unit, full_scale_rpm }: CommonPoint): Unit {
  if (unit) return unit;
  const { dimension, unit: own } = FIELD_UNITS[field];
  if (dimension === "power") return "watt";
  return full_scale_rpm === undefined ? own : "rpm";
}

export function withHostUnit<P extends CommonPoint>(point: P): P {
  return { ...point, unit: hostUnit(point) };
}
