import { HEALTH_FIELDS } from "../contracts/health.ts";
import { FEATURES } from "./features.ts";

const N = HEALTH_FIELDS.length;
/** Where each health field stands in a feature vector. */
export const FEATURE_OF = HEALTH_FIELDS.map((field) => FEATURES.indexOf(field));

/** Smoothing per window: about a minute and about ten minutes of 5 s windows. */
const FAST_ALPHA = 0.1;
const SLOW_ALPHA = 0.01;
/** How long the variance of a residual is averaged, and the most that a single window may add: 4 deviations. */
const VARIANCE_ALPHA = 1 / 60;
const SQUARE_MAX = 16;
/** Windows after which the smoothed vector, and the change from its long mean, say something. */
export const SMOOTHED_WARM = 12;
export const CHANGE_WARM = 120;
export const VARIANCE_WARM = 60;
/** No single window, however absurd, may weigh on the means for longer than a real deviation would. */
const CLIP = 12;

/** A rack's recent past, as the relations need it; standardised quantities. */
export interface Track {
  windows: number;
  fast: Float64Array;
  slow: Float64Array;
  change: Float64Array;
  /** Mean of the instant residuals, and their variance about it. */
  residual_mean: Float64Array;
  residual_variance: Float64Array;
}

export function newTrack(): Track {
  return {
    windows: 0,
    fast: new Float64Array(N),
    slow: new Float64Array(N),
    change: new Float64Array(N),
    residual_mean: new Float64Array(N),
    residual_variance: new Float64Array(N).fill(1),
  };
}

/** Standardises health fields into `z`, clipped; NaN stays. */
export function standardise(
  values: Float64Array,
  about: { mean: ArrayLike<number>; scale: ArrayLike<number> },
  z: Float64Array,
): void {
  for (let j = 0; j < N; j++) {
    const value = (values[j]! - about.mean[j]!) / about.scale[j]!;
    z[j] = value > CLIP ? CLIP : value < -CLIP ? -CLIP : value;
  }
}

/** Takes one complete standardised window in. The means start as plain averages. */
export function advance(track: Track, z: Float64Array): void {
  track.windows++;
  const fast = Math.max(FAST_ALPHA, 1 / track.windows);
  const slow = Math.max(SLOW_ALPHA, 1 / track.windows);
  for (let j = 0; j < N; j++) {
    track.fast[j]! += fast * (z[j]! - track.fast[j]!);
    track.slow[j]! += slow * (z[j]! - track.slow[j]!);
    track.change[j] = track.fast[j]! - track.slow[j]!;
  }
}

/** Takes the window's instant residuals in; their slow mean (a bias, not noise) is no part of the variance. */
export function advanceResiduals(track: Track, residual: Float64Array): void {
  for (let j = 0; j < N; j++) {
    const off = residual[j]! - track.residual_mean[j]!;
    track.residual_mean[j]! += FAST_ALPHA * off;
    track.residual_variance[j]! +=
      VARIANCE_ALPHA * (Math.min(SQUARE_MAX, off * off) - track.residual_variance[j]!);
  }
}
