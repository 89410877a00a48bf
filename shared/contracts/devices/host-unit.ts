import type { CommonPoint } from "./common.ts";
import { FIELD_UNITS } from "./units.ts";

/**
 * The unit that a host's own sensors (IPMI, hwmon, nvidia-smi) tell a field in, where the configuration names none:
 * powers come in watts, speeds in rpm where it is said what full speed is.
 */
export function withHostUnit<P extends CommonPoint>(point: P): P {
  if (point.unit) return point;
  const { dimension, unit } = FIELD_UNITS[point.field];
  if (dimension === "power") return { ...point, unit: "watt" };
  return { ...point, unit: point.full_scale_rpm === undefined ? unit : "rpm" };
}
