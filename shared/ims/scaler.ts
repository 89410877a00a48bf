import type { ModelFile } from "../contracts/model.ts";
import { skadiError } from "../errors.ts";
import { moments } from "./statistics.ts";

/**
 * Mean and population standard deviation per feature (the described system's StandardScaler).
 *
 * @param nominal row-major, n × names.length, without NaN
 * @throws SkadiError SKADI_BAD_DATA for a feature that never changes
 */
export function fitScaler(nominal: Float64Array, names: readonly string[]): ModelFile["scaler"] {
  const F = names.length;
  const mean: number[] = [];
  const scale: number[] = [];
  const column = new Float64Array(nominal.length / F);
  for (let j = 0; j < F; j++) {
    for (let i = 0; i < column.length; i++) column[i] = nominal[i * F + j]!;
    const m = moments(column);
    if (!(m.std > Number.EPSILON * Math.abs(m.mean))) {
      const expected = "a feature that changes over the data";
      throw skadiError("SKADI_BAD_DATA", { field: names[j]!, value: m.mean, expected });
    }
    mean.push(m.mean);
    scale.push(m.std);
  }
  return { mean, scale };
}

/** Standardised copy of row-major features. */
export function standardise(x: Float64Array, scaler: ModelFile["scaler"]): Float64Array {
  const F = scaler.mean.length;
  const z = new Float64Array(x.length);
  for (let at = 0; at < z.length; at += F) {
    for (let j = 0; j < F; j++) z[at + j] = (x[at + j]! - scaler.mean[j]!) / scaler.scale[j]!;
  }
  return z;
}
