import type { Random } from "../random.ts";
import { nearestRows } from "./kernel/nearest.ts";
import { spreadCenters } from "./seeding.ts";

/** The first centres are drawn from this many rows: more gain nothing measurable. */
const SEED_ROWS = 500;
const SEED_RESTARTS = 12;
/**
 * Each start is refined a little on a small sample and the best few to the end, because which one leads is not settled
 * early; the best of them on a larger sample, and that on all rows.
 */
const TRIAL_ROWS = 6_144;
const TRIAL_ITERATIONS = 12;
const FINALISTS = 3;
const SAMPLE_ROWS = 24_576;
const SAMPLE_ITERATIONS_MAX = 200;
const ITERATIONS_MAX = 50;
/** Stop when an iteration lowers the mean squared distance by less than this share. */
const SAMPLE_TOLERANCE = 1e-6;
const TOLERANCE = 1e-4;

export interface Clustering {
  /** k × features, row-major. */
  centers: Float64Array;
  sizes: number[];
  /** Iterations over all rows. */
  iterations: number;
  /** Mean squared distance to the nearest centre. */
  mean_d2: number;
  /** Each row's nearest centre and the squared distance to it. */
  label: Int32Array;
  d2: Float64Array;
}

/**
 * k-means: k-means++ seeding on a sample, several starts, then Lloyd's iterations, first on a sample, at last on all
 * rows. Starting from the sample's optimum, few iterations over all rows are left to do.
 *
 * @param z row-major standardised features, n × features, without NaN, n ≥ k
 */
export function cluster(z: Float64Array, features: number, k: number, random: Random): Clustering {
  const sample = sampleRows(z, features, SAMPLE_ROWS, random);
  const trial = sampleRows(sample, features, TRIAL_ROWS, random);
  const starts = Array.from({ length: SEED_RESTARTS }, () => {
    const few = sampleRows(trial, features, SEED_ROWS, random);
    const start = spreadCenters(few, features, k, random);
    return refine(trial, features, start, TRIAL_ITERATIONS, SAMPLE_TOLERANCE);
  });
  const finalists = starts
    .sort((a, b) => a.mean_d2 - b.mean_d2)
    .slice(0, FINALISTS)
    .map(({ centers }) => refine(trial, features, centers, SAMPLE_ITERATIONS_MAX, SAMPLE_TOLERANCE));
  const best = finalists.reduce((a, b) => (b.mean_d2 < a.mean_d2 ? b : a));
  const settled = refine(sample, features, best.centers, SAMPLE_ITERATIONS_MAX, SAMPLE_TOLERANCE);
  return refine(z, features, settled.centers, ITERATIONS_MAX, TOLERANCE);
}

/** One row from each of equal strata: spread over the whole recording, reproducible, no duplicates. */
function sampleRows(z: Float64Array, features: number, count: number, random: Random): Float64Array {
  const rows = z.length / features;
  if (rows <= count) return z;
  const sample = new Float64Array(count * features);
  const stride = rows / count;
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i + random.uniform()) * stride);
    sample.set(z.subarray(row * features, (row + 1) * features), i * features);
  }
  return sample;
}

function refine(
  z: Float64Array,
  features: number,
  start: Float64Array,
  iterations_max: number,
  tolerance: number,
): Clustering {
  const lloyd = lloydStep(z, features);
  let centers = start;
  let previous = Number.POSITIVE_INFINITY;
  for (let iteration = 0; ; iteration++) {
    const step = lloyd(centers);
    const settled = previous - step.mean_d2 <= tolerance * step.mean_d2;
    if (settled || iteration === iterations_max) {
      const { sizes, mean_d2, label, d2 } = step;
      return { centers, sizes: [...sizes], iterations: iteration, mean_d2, label, d2 };
    }
    previous = step.mean_d2;
    centers = step.next;
  }
}

/** Lloyd's iteration over these rows: sizes and error under the given centres, and the means that replace them. */
function lloydStep(z: Float64Array, features: number) {
  const rows = z.length / features;
  const label = new Int32Array(rows);
  const d2 = new Float64Array(rows);
  const mean = new Float64Array(features);
  const inverse_scale = new Float64Array(features).fill(1);
  return (centers: Float64Array) => {
    const next = new Float64Array(centers.length);
    nearestRows({ mean, inverse_scale, centers }, z, label, d2, next);
    const sizes = new Uint32Array(centers.length / features);
    let squares = 0;
    for (let i = 0; i < rows; i++) {
      sizes[label[i]!]!++;
      squares += d2[i]!;
    }
    for (let c = 0, at = 0; c < sizes.length; c++) {
      for (let j = 0; j < features; j++, at++) {
        // An emptied cluster keeps its centre, so that the model always has the k that was asked for.
        next[at] = sizes[c]! > 0 ? next[at]! / sizes[c]! : centers[at]!;
      }
    }
    return { sizes, next, mean_d2: squares / rows, label, d2 };
  };
}
