import type { ModelFile } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";

const INLET = FEATURES.indexOf("inlet_c");
const OUTLET = FEATURES.indexOf("outlet_c");

/**
 * Signed deviations from the nominal means, in standard deviations; null where the temperature is unknown.
 * D itself has no sign: an overcooled rack deviates as much as a hot one.
 */
export interface Heat {
  inlet_z: number | null;
  outlet_z: number | null;
}

/** @param x the rack's features, in the order of FEATURES */
export function heatOf(model: ModelFile, x: Float64Array): Heat {
  const deviation = (j: number) => {
    const z = (x[j]! - model.scaler.mean[j]!) / model.scaler.scale[j]!;
    return Number.isNaN(z) ? null : z;
  };
  return { inlet_z: deviation(INLET), outlet_z: deviation(OUTLET) };
}
