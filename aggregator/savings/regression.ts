/** Least squares with standard errors that hold for residuals which are correlated in time. */
export interface Regression {
  coefficients: Float64Array;
  /** Covariance of the coefficients, k × k, row-major. */
  covariance: Float64Array;
  /** Long-run variance of the residuals: the variance of a sum of m of them is about m times this. */
  long_run_variance: number;
  residual_std: number;
  r_squared: number;
  /** Of a two-sided 95 % interval under fixed-b asymptotics. */
  critical: number;
}

/**
 * Ordinary least squares; covariance after Newey & West (Econometrica 55, 1987) with the Bartlett kernel of width
 * 1.3 √n (Lazarus, Lewis, Stock & Watson, "HAR inference: recommendations for practice", JBES 36, 2018) and the fixed-b
 * critical value of Kiefer & Vogelsang (Econometric Theory 21, 2005, table 1). The kernel alone understates noise that
 * lasts for hours; it is scaled up to the residuals' first autocorrelation (Andrews & Monahan, Econometrica 60, 1992).
 *
 * @param rows n rows of k regressors each, in order of time
 * @returns null where the regressors are not independent or there are hardly more rows than regressors
 */
export function fitLeastSquares(
  rows: readonly (readonly number[])[],
  y: readonly number[],
): Regression | null {
  const n = rows.length;
  const k = rows[0]?.length ?? 0;
  if (n < k + 2) return null;
  const gram = new Float64Array(k * k);
  const moment = new Float64Array(k);
  rows.forEach((x, t) => {
    for (let i = 0; i < k; i++) {
      moment[i]! += x[i]! * y[t]!;
      for (let j = 0; j < k; j++) gram[i * k + j]! += x[i]! * x[j]!;
    }
  });
  const bread = invertSymmetric(gram, k);
  if (!bread) return null;
  const coefficients = multiplyVector(bread, moment, k);
  const residuals = Float64Array.from(rows, (x, t) => y[t]! - dot(x, coefficients));
  const width = Math.min(n - 1, Math.ceil(1.3 * Math.sqrt(n)));
  const correlation = lagOneCorrelation(residuals);
  const spectrum = longRunVariance(residuals, width);
  const whitened = residuals.slice(1).map((e, t) => e - correlation * residuals[t]!);
  const recoloured = longRunVariance(whitened, width) / (1 - correlation) ** 2;
  const scale = freedomLost(n, k, correlation) * (spectrum > 0 ? Math.max(1, recoloured / spectrum) : 1);
  const meat = bartlettSum(rows, residuals, width, k);
  const covariance = multiply(multiply(bread, meat, k), bread, k).map((value) => value * scale);
  const sum_of_squares = residuals.reduce((sum, e) => sum + e * e, 0);
  const mean_y = y.reduce((sum, value) => sum + value, 0) / n;
  const total = y.reduce((sum, value) => sum + (value - mean_y) ** 2, 0);
  const variance = sum_of_squares / (n - k);
  return {
    coefficients,
    covariance,
    // Never less than white noise of the same size: a short record may happen to look anticorrelated.
    long_run_variance: Math.max(variance, spectrum * scale),
    residual_std: Math.sqrt(variance),
    r_squared: total > 0 ? 1 - sum_of_squares / total : 1,
    critical: criticalValue(width / n),
  };
}

/** A correlation so near to 1 leaves no independent residuals to speak of. */
const CORRELATION_MAX = 0.97;
const FREE_MIN = 2;

/** Of one residual with the next, from 0. */
function lagOneCorrelation(residuals: Float64Array): number {
  const squares = dot(residuals, residuals);
  const products = dot(residuals.subarray(1), residuals.subarray(0, -1));
  return squares > 0 ? Math.max(0, Math.min(CORRELATION_MAX, products / squares)) : 0;
}

/**
 * By how much the residuals understate the noise because the regression has fitted itself to it: k of the independent
 * values are used up, of which n correlated ones hold n (1 − ρ) / (1 + ρ).
 */
function freedomLost(n: number, k: number, correlation: number): number {
  const independent = (n * (1 - correlation)) / (1 + correlation);
  return independent / Math.max(FREE_MIN, independent - k);
}

function longRunVariance(residuals: Float64Array, width: number): number {
  const ones = Array.from(residuals, () => [1]);
  return bartlettSum(ones, residuals, width, 1)[0]! / residuals.length;
}

/** Two-sided 95 %, Bartlett kernel of width b · n. */
function criticalValue(b: number): number {
  return 1.96 + 2.9694 * b + 0.416 * b * b - 0.5324 * b ** 3;
}

/** Σ over lags of the Bartlett-weighted autocovariance of regressor times residual. */
function bartlettSum(
  rows: readonly (readonly number[])[],
  residuals: Float64Array,
  width: number,
  k: number,
): Float64Array {
  const sum = new Float64Array(k * k);
  for (let lag = 0; lag <= width; lag++) {
    const weight = 1 - lag / (width + 1);
    for (let t = lag; t < rows.length; t++) {
      const now = rows[t]!;
      const then = rows[t - lag]!;
      const product = weight * residuals[t]! * residuals[t - lag]!;
      for (let i = 0; i < k; i++) {
        for (let j = 0; j < k; j++) {
          const both = lag === 0 ? now[i]! * then[j]! : now[i]! * then[j]! + then[i]! * now[j]!;
          sum[i * k + j]! += product * both;
        }
      }
    }
  }
  return sum;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** xᵀ A x. */
export function quadraticForm(a: Float64Array, x: ArrayLike<number>): number {
  return dot(multiplyVector(a, x, x.length), x);
}

function multiplyVector(a: Float64Array, x: ArrayLike<number>, k: number): Float64Array {
  return Float64Array.from({ length: k }, (_, i) => dot(a.subarray(i * k, (i + 1) * k), x));
}

function multiply(a: Float64Array, b: Float64Array, k: number): Float64Array {
  const out = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) {
      for (let m = 0; m < k; m++) out[i * k + j]! += a[i * k + m]! * b[m * k + j]!;
    }
  }
  return out;
}

const PIVOT_MIN = 1e-10;

/** Gauss–Jordan on the matrix scaled to unit diagonal; null if it is singular to working precision. */
function invertSymmetric(a: Float64Array, k: number): Float64Array | null {
  const scale = Float64Array.from({ length: k }, (_, i) => 1 / Math.sqrt(a[i * k + i]!));
  const left = a.map((value, at) => value * scale[Math.floor(at / k)]! * scale[at % k]!);
  const right = new Float64Array(k * k);
  for (let i = 0; i < k; i++) right[i * k + i] = 1;
  for (let column = 0; column < k; column++) {
    const pivot = left[column * k + column]!;
    // The scaled matrix is positive definite, so that pivots on the diagonal are safe unless they vanish.
    if (!(pivot > PIVOT_MIN)) return null;
    for (let j = 0; j < k; j++) {
      left[column * k + j]! /= pivot;
      right[column * k + j]! /= pivot;
    }
    for (let i = 0; i < k; i++) {
      const factor = left[i * k + column]!;
      if (i === column || factor === 0) continue;
      for (let j = 0; j < k; j++) {
        left[i * k + j]! -= factor * left[column * k + j]!;
        right[i * k + j]! -= factor * right[column * k + j]!;
      }
    }
  }
  return right.map((value, at) => value * scale[Math.floor(at / k)]! * scale[at % k]!);
}
