import type { ModelKind, SquareMoments } from "../contracts/model.ts";
import type { Distance } from "./distance.ts";

/** Turns D² of the features that are present into the D² that all of them would have given. */
export type Completion = (squared: number) => number;

/**
 * D² of nominal rows is close to a scaled χ², whose cube root is close to normal (Wilson & Hilferty, "The distribution
 * of chi-square", PNAS 17, 1931). So the partial D² is put on the whole one's scale by its z-score: mean and spread
 * both follow, and a threshold is exceeded about as often as with all sensors. Scaling by the mean alone would not do,
 * because a sum of fewer squares scatters more.
 *
 * Of boxes nearly every nominal row has D = 0, and 0 must stay 0: there the partial D² is scaled by the ratio of means.
 *
 * @param moments of the squares in training; undefined (a file of the first release) scales by the number of features
 * @param present indices of the features that are there, at least one
 */
export function completion(
  kind: ModelKind,
  moments: SquareMoments | undefined,
  present: readonly number[],
  F: number,
): Completion {
  const by_count: Completion = (squared) => (squared * F) / present.length;
  if (!moments) return by_count;
  const part = sumMoments(moments, present);
  const whole = sumMoments(
    moments,
    Array.from({ length: F }, (_, j) => j),
  );
  // A group of features that never left its boxes gives nothing to learn a scale from.
  if (!(part.mean > 0 && part.variance > 0 && whole.variance > 0)) return by_count;
  if (kind === "hyperbox") return (squared) => (squared * whole.mean) / part.mean;
  const h_part = part.variance / (9 * part.mean ** 2);
  const h_whole = whole.variance / (9 * whole.mean ** 2);
  return (squared) => {
    const score = (Math.cbrt(squared / part.mean) - (1 - h_part)) / Math.sqrt(h_part);
    return whole.mean * Math.max(0, 1 - h_whole + score * Math.sqrt(h_whole)) ** 3;
  };
}

function sumMoments({ mean, covariance }: SquareMoments, of: readonly number[]) {
  let sum = 0;
  let variance = 0;
  for (const i of of) {
    sum += mean[i]!;
    for (const j of of) variance += covariance[i]![j]!;
  }
  return { mean: sum, variance };
}

/** Moments to two digits need no more rows than this, taken evenly from all. */
const MOMENT_ROWS = 20_000;

/** Measures the moments that `completion` needs on standardised nominal rows. */
export function squareMoments(z: Float64Array, F: number, distance: Distance): SquareMoments {
  const rows = z.length / F;
  const meter = squareMeter(F);
  const squares = new Float64Array(F);
  for (let i = 0; i < rows; i += momentStride(rows)) {
    distance.squares(distance.nearest(z, i * F), z, i * F, squares);
    meter.add(squares);
  }
  return meter.moments();
}

/** Every how many of the rows moments are taken from. */
export function momentStride(rows: number): number {
  return Math.max(1, Math.floor(rows / MOMENT_ROWS));
}

/** Collects moments of what each feature adds to D², row by row. */
export function squareMeter(F: number): { add(squares: Float64Array): void; moments(): SquareMoments } {
  const sums = new Float64Array(F);
  const products = new Float64Array(F * F);
  let rows = 0;
  return {
    add(squares) {
      rows++;
      for (let a = 0; a < F; a++) {
        sums[a]! += squares[a]!;
        for (let b = 0; b <= a; b++) products[a * F + b]! += squares[a]! * squares[b]!;
      }
    },
    moments() {
      const mean = Array.from(sums, (sum) => sum / rows);
      const entry = (a: number, b: number) =>
        brief(products[Math.max(a, b) * F + Math.min(a, b)]! / rows - mean[a]! * mean[b]!);
      return {
        mean: mean.map(brief),
        covariance: mean.map((_, a) => mean.map((_, b) => entry(a, b))),
      };
    },
  };
}

/** Six digits are more than a sample's moments are worth, and keep the model file small. */
function brief(value: number): number {
  return Number(value.toPrecision(6));
}
