import type { ModelFile } from "../contracts/model.ts";
import { nearest } from "./euclidean.ts";
import { inverseRoot } from "./matrix.ts";

/** The part of a model that says what D is. */
export type Geometry = Pick<ModelFile, "kind" | "centers" | "boxes" | "covariances">;

/**
 * D² of one kind of model, over the features that are present: the sum of one non-negative square per feature. That
 * each kind can be written so is what gives all of them contributions in the same sense.
 */
export interface Distance {
  /** The nearest cluster to the standardised point at `at`; the lowest index wins a tie. */
  nearest(z: Float64Array, at: number): number;
  /** Writes each feature's square into `out` and returns their sum, D². */
  squares(cluster: number, z: Float64Array, at: number, out: Float64Array): number;
  /** How much D can change at most when the point moves by `step`. */
  riseAtMost(step: Float64Array): number;
}

/** The costly part of preparing a distance, which another thread may do: of `mahalanobis` the roots, k × F × F. */
export type Prepared = Float64Array | null;

/** Over all features; null also where there is nothing costly, or where a covariance is not positive definite. */
export function prepareDistance({
  kind,
  covariances,
  scaler,
}: Geometry & Pick<ModelFile, "scaler">): Prepared {
  if (kind !== "mahalanobis") return null;
  return inverseRoots(
    (covariances ?? []).map((m) => Float64Array.from(m.flat())),
    scaler.mean.length,
  );
}

/**
 * Prepares distances over some of the features.
 *
 * @param present indices of the features that the points consist of, ascending
 * @param prepared by `prepareDistance`, if all are present
 * @returns null if a covariance is not positive definite
 */
export function compileDistance(
  model: Geometry,
  present: readonly number[],
  prepared: Prepared = null,
): Distance | null {
  const pick = (rows: readonly number[][]) =>
    Float64Array.from(rows.flatMap((row) => present.map((j) => row[j]!)));
  const F = present.length;
  const centers = pick(model.centers);
  switch (model.kind) {
    case "kmeans":
      return euclidean(centers, F);
    case "hyperbox": {
      const boxes = model.boxes ?? [];
      return boxDistance(pick(boxes.map((b) => b.low)), pick(boxes.map((b) => b.high)), F);
    }
    case "mahalanobis": {
      const covariances = () => (model.covariances ?? []).map((m) => pick(present.map((i) => m[i]!)));
      const roots = prepared ?? inverseRoots(covariances(), F);
      return roots && mahalanobis(centers, roots, F);
    }
  }
}

/** Squared difference to the centre, per feature. */
function euclidean(centers: Float64Array, F: number): Distance {
  return {
    nearest: (z, at) => nearest(centers, z, at, F),
    squares(cluster, z, at, out) {
      let sum = 0;
      for (let j = 0; j < F; j++) {
        const difference = z[at + j]! - centers[cluster * F + j]!;
        const square = difference * difference;
        out[j] = square;
        sum += square;
      }
      return sum;
    },
    riseAtMost: length,
  };
}

/** Distances to a point and to a box are Euclidean: no point is farther from them than its neighbour by more. */
function length(step: Float64Array): number {
  let sum = 0;
  for (const part of step) sum += part * part;
  return Math.sqrt(sum);
}

/** Squared distance to the box's nearest face, per feature: 0 between the faces (Iverson, 2004). */
function boxDistance(low: Float64Array, high: Float64Array, F: number): Distance {
  const squares: Distance["squares"] = (cluster, z, at, out) => {
    let sum = 0;
    for (let j = 0; j < F; j++) {
      const outside = beyond(z[at + j]!, low[cluster * F + j]!, high[cluster * F + j]!);
      const square = outside * outside;
      out[j] = square;
      sum += square;
    }
    return sum;
  };
  return {
    nearest: (z, at) => nearestBox(low, high, low.length / F, z, at, F).box,
    squares,
    riseAtMost: length,
  };
}

function beyond(value: number, low: number, high: number): number {
  return value < low ? low - value : value > high ? value - high : 0;
}

/** The box nearest to the point at `at` among the first `count`, and the squared distance to it. */
export function nearestBox(
  low: Float64Array,
  high: Float64Array,
  count: number,
  z: Float64Array,
  at: number,
  F: number,
): { box: number; squared: number } {
  let box = 0;
  let squared = Number.POSITIVE_INFINITY;
  for (let b = 0; b < count && squared > 0; b++) {
    let sum = 0;
    // A box that is already farther than the best one needs no more features.
    for (let j = 0; j < F && sum < squared; j++) {
      const outside = beyond(z[at + j]!, low[b * F + j]!, high[b * F + j]!);
      sum += outside * outside;
    }
    if (sum < squared) {
      squared = sum;
      box = b;
    }
  }
  return { box, squared };
}

/**
 * Mahalanobis distance as a sum of squares, D² = |W (z − c)|² with W the *symmetric* root of the inverse covariance.
 * Of all roots this one keeps each component closest to its own feature, so component j is feature j's share of D²:
 * the partition of Garthwaite & Koch, "Evaluating the contributions of individual variables to a quadratic form"
 * (Australian & New Zealand Journal of Statistics 58, 2016).
 */
function mahalanobis(centers: Float64Array, roots: Float64Array, F: number): Distance {
  const clusters = centers.length / F;
  const difference = new Float64Array(F);
  const whiten = (cluster: number, out: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < F; i++) {
      const row = (cluster * F + i) * F;
      let component = 0;
      for (let j = 0; j < F; j++) component += roots[row + j]! * difference[j]!;
      const square = component * component;
      out[i] = square;
      sum += square;
    }
    return sum;
  };
  const squares: Distance["squares"] = (cluster, z, at, out) => {
    for (let j = 0; j < F; j++) difference[j] = z[at + j]! - centers[cluster * F + j]!;
    return whiten(cluster, out);
  };
  const scratch = new Float64Array(F);
  return {
    squares,
    nearest(z, at) {
      let best = 0;
      let best_squared = Number.POSITIVE_INFINITY;
      for (let c = 0; c < clusters; c++) {
        const squared = squares(c, z, at, scratch);
        if (squared < best_squared) {
          best_squared = squared;
          best = c;
        }
      }
      return best;
    },
    riseAtMost(step) {
      difference.set(step);
      let largest = 0;
      for (let c = 0; c < clusters; c++) largest = Math.max(largest, whiten(c, scratch));
      return Math.sqrt(largest);
    },
  };
}

function inverseRoots(covariances: Float64Array[], F: number): Float64Array | null {
  const roots = new Float64Array(covariances.length * F * F);
  for (const [c, covariance] of covariances.entries()) {
    const root = inverseRoot(covariance, F);
    if (!root) return null;
    roots.set(root, c * F * F);
  }
  return roots;
}
