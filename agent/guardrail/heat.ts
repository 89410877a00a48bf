import type { ModelFile } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";

const THERMAL = [FEATURES.indexOf("inlet_c"), FEATURES.indexOf("outlet_c")];

/**
 * How hot a rack is compared with nominal operation: the larger of the signed deviations of inlet and outlet from
 * their nominal means, in standard deviations. D itself has no sign; an overcooled rack deviates as much as a hot one.
 *
 * @returns null where neither temperature is known
 */
export function heatZ(model: ModelFile, x: Float64Array): number | null {
  const deviations = THERMAL.map((j) => (x[j]! - model.scaler.mean[j]!) / model.scaler.scale[j]!);
  const known = deviations.filter((z) => !Number.isNaN(z));
  return known.length === 0 ? null : Math.max(...known);
}
