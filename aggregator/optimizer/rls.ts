/**
 * Recursive least squares with exponential forgetting (Ljung, System Identification, 2nd ed., §11.2), in the form of
 * innovations, so that it serves linear models and, with the gradient of a prediction as regressor, nonlinear ones
 * (recursive prediction-error method, §11.4).
 */
export interface Rls {
  readonly theta: Float64Array;
  /**
   * One measurement.
   *
   * @param x gradient of the prediction with respect to theta
   * @param innovation what was measured minus what was predicted
   * @param variance of the measurement's noise
   */
  update(x: ArrayLike<number>, innovation: number, variance: number): void;
  /** Variance of a prediction with this gradient that the parameters' uncertainty alone causes. */
  variance(x: ArrayLike<number>): number;
}

export interface RlsOptions {
  /** What is believed before the first measurement, and by how much it may be off (standard deviation). */
  prior: readonly number[];
  deviation: readonly number[];
  /** Weight that a measurement keeps from one update to the next; below 1 the past fades. */
  forgetting: number;
  /** Parameters never leave these ranges: physics knows their signs. */
  range: readonly (readonly [low: number, high: number])[];
}

export function createRls(options: RlsOptions): Rls {
  const { prior, deviation, forgetting, range } = options;
  const n = prior.length;
  const theta = Float64Array.from(prior);
  const P = new Float64Array(n * n);
  for (let j = 0; j < n; j++) P[j * n + j] = deviation[j]! ** 2;
  const Px = new Float64Array(n);

  const spread = (x: ArrayLike<number>): number => {
    let sum = 0;
    for (let j = 0; j < n; j++) {
      let row = 0;
      for (let k = 0; k < n; k++) row += P[j * n + k]! * x[k]!;
      Px[j] = row;
      sum += row * x[j]!;
    }
    return sum;
  };

  return {
    theta,
    variance: spread,
    update(x, innovation, variance) {
      const total = spread(x) + variance;
      if (!(total > 0) || !Number.isFinite(innovation)) return;
      for (let j = 0; j < n; j++) {
        const [low, high] = range[j]!;
        theta[j] = Math.max(low, Math.min(high, theta[j]! + (Px[j]! / total) * innovation));
      }
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < n; k++) P[j * n + k]! -= (Px[j]! * Px[k]!) / total;
      }
      // Forgetting lets uncertainty grow; without excitation it would grow for ever, so never beyond the prior's.
      for (let at = 0; at < P.length; at++) P[at]! /= forgetting;
      for (let j = 0; j < n; j++) {
        const limit = deviation[j]! ** 2;
        if (P[j * n + j]! <= limit) continue;
        const shrink = Math.sqrt(limit / P[j * n + j]!);
        for (let k = 0; k < n; k++) {
          P[j * n + k]! *= shrink;
          P[k * n + j]! *= shrink;
        }
      }
    },
  };
}
