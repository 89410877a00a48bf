import type { ModelFile } from "../contracts/model.ts";
import { skadiError } from "../errors.ts";
import { moments } from "./statistics.ts";

/** Drift is measured between the means of blocks of this many rows: a minute or so at 1 Hz. */
const BLOCK_ROWS = 50;
const BLOCKS_MIN = 4;

export interface FittedScaler {
  scaler: ModelFile["scaler"];
  /** Per feature: the part of the unit variance that is expected drift, not seen in the training rows themselves. */
  drift_share: Float64Array;
}

/** How a feature's mean wanders, and for how long a model is to stay valid. */
export interface DriftOptions {
  /** Rows after training that the scale must cover; 0: the plain standard deviation. */
  horizon_rows: number;
  /** Per feature: over how many rows its noise is correlated (1, or the window of a derived feature). */
  correlation_rows: readonly number[];
}

/**
 * Mean and population standard deviation per feature (the described system's StandardScaler). With a horizon, the
 * variance is raised by what a random walk with the observed steps would add until then: a quantity that drifts while
 * a model is learnt (a motor warming up) goes on drifting, and must not count as a deviation for that.
 *
 * @param nominal row-major, n × names.length, without NaN, in order of time
 * @throws SkadiError SKADI_BAD_DATA for a feature that never changes
 */
export function fitScaler(
  nominal: Float64Array,
  names: readonly string[],
  drift: DriftOptions | null,
): FittedScaler {
  const F = names.length;
  const mean: number[] = [];
  const scale: number[] = [];
  const drift_share = new Float64Array(F);
  const column = new Float64Array(nominal.length / F);
  for (let j = 0; j < F; j++) {
    for (let i = 0; i < column.length; i++) column[i] = nominal[i * F + j]!;
    const m = moments(column);
    if (!(m.std > Number.EPSILON * Math.abs(m.mean))) {
      const expected = "a feature that changes over the data";
      throw skadiError("SKADI_BAD_DATA", { field: names[j]!, value: m.mean, expected });
    }
    mean.push(m.mean);
    const steps = drift ? drift.horizon_rows * walkVariance(column, drift.correlation_rows[j]!) : 0;
    const variance = m.std ** 2 + steps;
    scale.push(steps > 0 ? Math.sqrt(variance) : m.std);
    drift_share[j] = steps / variance;
  }
  return { scaler: { mean, scale }, drift_share };
}

/**
 * Variance per row of the random walk beneath a noisy signal: the mean squared step between successive block means,
 * less what the noise within the blocks explains (as in an Allan variance: Allan, Proceedings of the IEEE 54, 1966).
 */
function walkVariance(values: Float64Array, correlation_rows: number): number {
  const blocks = Math.floor(values.length / BLOCK_ROWS);
  if (blocks < BLOCKS_MIN) return 0;
  let noise = 0;
  let steps = 0;
  let previous = 0;
  for (let b = 0; b < blocks; b++) {
    const { mean, std } = moments(values.subarray(b * BLOCK_ROWS, (b + 1) * BLOCK_ROWS));
    noise += std ** 2 / blocks;
    if (b > 0) steps += (mean - previous) ** 2 / (blocks - 1);
    previous = mean;
  }
  const of_means = (noise * Math.min(correlation_rows, BLOCK_ROWS)) / (BLOCK_ROWS - 1);
  return Math.max(0, steps - 2 * of_means) / BLOCK_ROWS;
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
