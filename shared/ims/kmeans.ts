import { kmeans } from "ml-kmeans";
import type { Random } from "../random.ts";
import { nearest, squaredDistance } from "./euclidean.ts";

/** Seeding looks at this many rows at most: k-means++ on more gains nothing measurable and costs seconds. */
const SEED_SAMPLE_ROWS = 4_000;
const SEED_RESTARTS = 8;
const REFINE_ITERATIONS_MAX = 100;
/** Stop when an iteration lowers the mean squared distance by less than this share. */
const REFINE_TOLERANCE = 1e-5;

export interface Clustering {
  /** k × F, row-major. */
  centers: Float64Array;
  sizes: number[];
  iterations: number;
  /** Mean squared distance to the nearest centre. */
  mean_d2: number;
}

/**
 * k-means++ seeding on a sample (ml-kmeans, several restarts), then Lloyd's iterations on all rows.
 *
 * @param z row-major standardised features, n × F, without NaN, n ≥ k
 * @param F number of features
 */
export function cluster(z: Float64Array, k: number, random: Random, F: number): Clustering {
  return refine(z, seedCenters(z, k, random, F), F);
}

function seedCenters(z: Float64Array, k: number, random: Random, F: number): Float64Array {
  const sample = sampleRows(z, random, F);
  let best: number[][] = [];
  let best_error = Number.POSITIVE_INFINITY;
  for (let restart = 0; restart < SEED_RESTARTS; restart++) {
    const seed = Math.floor(random.uniform() * 2 ** 31);
    const result = kmeans(sample, k, { initialization: "kmeans++", seed, maxIterations: 60 });
    const error = result.computeInformation(sample).reduce((sum, c) => sum + c.error * c.size, 0);
    if (error < best_error) {
      best_error = error;
      best = result.centroids;
    }
  }
  return Float64Array.from(best.flat());
}

function sampleRows(z: Float64Array, random: Random, F: number): number[][] {
  const rows = z.length / F;
  const row = (i: number) => Array.from(z.subarray(i * F, i * F + F));
  if (rows <= SEED_SAMPLE_ROWS) return Array.from({ length: rows }, (_, i) => row(i));
  // One row from each of equal strata: spread over the whole recording, reproducible, no duplicates.
  const stride = rows / SEED_SAMPLE_ROWS;
  return Array.from({ length: SEED_SAMPLE_ROWS }, (_, i) => row(Math.floor((i + random.uniform()) * stride)));
}

function refine(z: Float64Array, start: Float64Array, F: number): Clustering {
  let centers = start;
  let previous = Number.POSITIVE_INFINITY;
  for (let iteration = 0; ; iteration++) {
    const step = lloyd(z, centers, F);
    const settled = previous - step.mean_d2 <= REFINE_TOLERANCE * step.mean_d2;
    if (settled || iteration === REFINE_ITERATIONS_MAX) {
      return { centers, sizes: [...step.sizes], iterations: iteration, mean_d2: step.mean_d2 };
    }
    previous = step.mean_d2;
    centers = step.next;
  }
}

/** One of Lloyd's iterations: sizes and error under `centers`, and the means that replace them. */
function lloyd(z: Float64Array, centers: Float64Array, F: number) {
  const k = centers.length / F;
  const rows = z.length / F;
  const sums = new Float64Array(k * F);
  const sizes = new Uint32Array(k);
  let squares = 0;
  for (let i = 0; i < rows; i++) {
    const at = i * F;
    const c = nearest(centers, z, at, F);
    squares += squaredDistance(centers, c * F, z, at, F);
    sizes[c]!++;
    for (let j = 0; j < F; j++) sums[c * F + j]! += z[at + j]!;
  }
  const next = new Float64Array(k * F);
  for (let c = 0; c < k; c++) {
    // An emptied cluster keeps its centre, so that the model always has the k that was asked for.
    for (let j = 0; j < F; j++)
      next[c * F + j] = sizes[c]! > 0 ? sums[c * F + j]! / sizes[c]! : centers[c * F + j]!;
  }
  return { sizes, next, mean_d2: squares / rows };
}
