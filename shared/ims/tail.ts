import { quantile } from "./statistics.ts";

/** The tail is fitted to this share of the largest values. */
const TAIL_SHARE = 0.1;
const EXCESSES_MIN = 10;
/** Small samples give wild shapes; distances of a physical system have neither a hard end nor a Cauchy tail. */
const SHAPE_MIN = -0.5;
const SHAPE_MAX = 0.5;

/** Generalized Pareto tail: P(D > start + x) = share · (1 + shape · x / scale)^(−1/shape). */
export interface Tail {
  start: number;
  share: number;
  shape: number;
  scale: number;
}

/**
 * Peaks over threshold (Pickands, 1975; Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001, §4),
 * by probability-weighted moments (Hosking & Wallis, "Parameter and quantile estimation for the generalized Pareto
 * distribution", Technometrics 29, 1987), which beat maximum likelihood on the few excesses that we have.
 *
 * @param sorted D of nominal operation, ascending
 */
export function fitTail(sorted: Float64Array): Tail {
  const wanted = Math.max(EXCESSES_MIN, Math.ceil(sorted.length * TAIL_SHARE));
  // Rows inside boxes all have D = 0: a point mass, and no part of any tail.
  const positive = sorted.length - sorted.findLastIndex((d) => d <= 0) - 1;
  const n = Math.min(wanted, sorted.length - 1, positive);
  const first = sorted.length - n;
  const start = sorted[first - 1] ?? 0;
  let b0 = 0;
  let b1 = 0;
  for (let i = 0; i < n; i++) {
    const excess = sorted[first + i]! - start;
    b0 += excess / n;
    b1 += (excess * (1 - (i + 0.65) / n)) / n;
  }
  // Hosking & Wallis write k for −shape.
  const spread = b0 - 2 * b1;
  const shape = spread > 0 ? Math.min(SHAPE_MAX, Math.max(SHAPE_MIN, 2 - b0 / spread)) : 0;
  // With the shape held, the mean excess alone fixes the scale.
  return { start, share: n / sorted.length, shape, scale: b0 * (1 - shape) };
}

/** The D that a nominal row exceeds with probability `rate`. */
export function tailQuantile(sorted: Float64Array, tail: Tail, rate: number): number {
  if (rate >= tail.share) return quantile(sorted, 1 - rate);
  const ratio = rate / tail.share;
  const reach = Math.abs(tail.shape) < 1e-9 ? -Math.log(ratio) : (ratio ** -tail.shape - 1) / tail.shape;
  return tail.start + tail.scale * reach;
}
