import type { ModelFile } from "../contracts/model.ts";
import { skadiError } from "../errors.ts";

/**
 * Mean and population standard deviation per feature (the described system's StandardScaler).
 *
 * @param nominal row-major, n × names.length, without NaN
 * @throws SkadiError SKADI_BAD_DATA for a feature that never changes
 */
export function fitScaler(nominal: Float64Array, names: readonly string[]): ModelFile["scaler"] {
  const F = names.length;
  const rows = nominal.length / F;
  const mean = columnSums(nominal, F).map((sum) => sum / rows);
  // A second pass over the differences, so that large offsets lose no digits.
  const scale = columnSquares(nominal, F, mean).map((squares) => Math.sqrt(squares / rows));
  for (let j = 0; j < F; j++) {
    if (scale[j]! > Number.EPSILON * Math.abs(mean[j]!)) continue;
    const expected = "a feature that changes over the data";
    throw skadiError("SKADI_BAD_DATA", { field: names[j]!, value: mean[j]!, expected });
  }
  return { mean, scale };
}

function columnSums(x: Float64Array, F: number): number[] {
  const sums = new Float64Array(F);
  for (let at = 0; at < x.length; ) for (let j = 0; j < F; j++) sums[j]! += x[at++]!;
  return [...sums];
}

function columnSquares(x: Float64Array, F: number, center: readonly number[]): number[] {
  const offset = Float64Array.from(center);
  const squares = new Float64Array(F);
  for (let at = 0; at < x.length; ) {
    for (let j = 0; j < F; j++) {
      const difference = x[at++]! - offset[j]!;
      squares[j]! += difference * difference;
    }
  }
  return [...squares];
}

/**
 * Standardises row-major features.
 *
 * @param z where they go; the rows themselves, to spare the memory of a second copy
 */
export function standardise(
  x: Float64Array,
  scaler: ModelFile["scaler"],
  z: Float64Array = new Float64Array(x.length),
): Float64Array {
  const F = scaler.mean.length;
  const mean = Float64Array.from(scaler.mean);
  const inverse_scale = Float64Array.from(scaler.scale, (s) => 1 / s);
  for (let at = 0; at < z.length; ) {
    for (let j = 0; j < F; j++, at++) z[at] = (x[at]! - mean[j]!) * inverse_scale[j]!;
  }
  return z;
}

/** The scaler of rows that are standardised already. */
export function unitScaler(F: number): ModelFile["scaler"] {
  return { mean: new Array<number>(F).fill(0), scale: new Array<number>(F).fill(1) };
}
