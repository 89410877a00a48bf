import type { ModelKind, SquareMoments } from "../contracts/model.ts";
import { seededRandom } from "../random.ts";
import { shrunkCovariances } from "./covariance.ts";
import { compileDistance, type Distance, type Geometry } from "./distance.ts";
import { type BoxTolerances, learnBoxes } from "./hyperbox.ts";
import { cluster } from "./kmeans.ts";
import { momentStride, squareMeter } from "./missing.ts";

export interface FitOptions {
  kind: ModelKind;
  /** k of k-means and Mahalanobis; boxes find their own number. */
  clusters: number;
  seed: number;
  tolerances: BoxTolerances;
}

export interface Fit {
  geometry: Geometry;
  sizes: number[];
  iterations: number;
  /** Each row's D and nearest cluster, where the clustering has found them on its way. */
  scored: { d: Float64Array; cluster: Int32Array } | null;
}

/** @param z row-major standardised features, n × F, without NaN, in order of time */
export function fitClusters(z: Float64Array, F: number, options: FitOptions): Fit {
  const { kind, clusters, seed } = options;
  if (kind === "hyperbox") return fitBoxes(z, F, options.tolerances);
  const { centers, sizes, iterations, label, d2 } = cluster(z, F, clusters, seededRandom(seed));
  const geometry: Geometry = { kind, centers: toRows(centers, F) };
  if (kind === "kmeans") return { geometry, sizes, iterations, scored: { d: rooted(d2), cluster: label } };
  const covariances = shrunkCovariances(z, centers, F);
  geometry.covariances = covariances.map((matrix) => toRows(matrix, F));
  return { geometry, sizes, iterations, scored: null };
}

function fitBoxes(z: Float64Array, F: number, tolerances: BoxTolerances): Fit {
  const { low, high, sizes } = learnBoxes(z, F, tolerances);
  const lows = toRows(low, F);
  const highs = toRows(high, F);
  const boxes = lows.map((row, b) => ({ low: row, high: highs[b]! }));
  const centers = boxes.map((box) => box.low.map((edge, j) => (edge + box.high[j]!) / 2));
  return { geometry: { kind: "hyperbox", centers, boxes }, sizes, iterations: 1, scored: null };
}

const FOLDS = 5;

/**
 * Distances that rows have to clusters which were learnt without them: each fifth of the recording, in one piece, is
 * measured on a fit of the other four. Distances of a fit to its own rows are too small, and 0 for all rows of boxes.
 *
 * @param z row-major standardised features, n × F, in order of time
 * @returns n distances, and the moments of their squares
 */
export function crossFittedDistances(
  z: Float64Array,
  F: number,
  options: FitOptions,
): { d: Float64Array; square_moments: SquareMoments } {
  const rows = z.length / F;
  const stride = momentStride(rows);
  const meter = squareMeter(F);
  const d = new Float64Array(rows);
  const squares = new Float64Array(F);
  for (let fold = 0; fold < FOLDS; fold++) {
    const from = Math.floor((fold * rows) / FOLDS);
    const to = Math.floor(((fold + 1) * rows) / FOLDS);
    const others = new Float64Array(z.length - (to - from) * F);
    others.set(z.subarray(0, from * F));
    others.set(z.subarray(to * F), from * F);
    const distance = distanceOf(fitClusters(others, F, options).geometry, F);
    for (let i = from; i < to; i++) {
      d[i] = Math.sqrt(distance.squares(distance.nearest(z, i * F), z, i * F, squares));
      if (i % stride === 0) meter.add(squares);
    }
  }
  return { d, square_moments: meter.moments() };
}

/** The distance of a geometry that was just fitted: its covariances are definite by construction. */
export function distanceOf(geometry: Geometry, F: number): Distance {
  return compileDistance(geometry, [...Array(F).keys()])!;
}

/** In place. */
function rooted(squares: Float64Array): Float64Array {
  for (let i = 0; i < squares.length; i++) squares[i] = Math.sqrt(squares[i]!);
  return squares;
}

function toRows(matrix: Float64Array, F: number): number[][] {
  return Array.from({ length: matrix.length / F }, (_, i) => Array.from(matrix.subarray(i * F, i * F + F)));
}
