import type { Relation } from "../contracts/health.ts";
import { HEALTH_FIELDS } from "../contracts/health.ts";

const N = HEALTH_FIELDS.length;

/**
 * Analytical redundancy among a rack's sensors, by one multivariate Gaussian. With P the inverse covariance of
 * standardised quantities z:
 * - T² = zᵀPz is the squared Mahalanobis distance (Hotelling's T²);
 * - r_j = (Pz)_j / √P_jj is how far z_j lies from its regression on all others, in standard deviations of that
 *   regression (Lauritzen, Graphical Models, §5.1);
 * - T² − r_j² is the T² of the others alone: the distance that is left if sensor j is not believed.
 */
export interface CompiledRelation {
  limit: number;
  usual: number;
  /**
   * Judges one vector.
   *
   * @param z standardised quantities, without NaN
   * @param residual filled with r_j
   * @returns T²
   */
  judge(z: Float64Array, residual: Float64Array): number;
  /** Replaces the NaNs of z by their regression on what is there. */
  complete(z: Float64Array): void;
  /** What the other quantities predict for z_j, given its residual. */
  predicted(z: Float64Array, residual: Float64Array, j: number): number;
}

export function compileRelation(relation: Relation): CompiledRelation {
  const precision = Float64Array.from(relation.precision.flat());
  const root = Float64Array.from({ length: N }, (_, j) => Math.sqrt(precision[j * N + j]!));
  return {
    limit: relation.limit,
    usual: relation.usual,
    judge(z, residual) {
      let t2 = 0;
      for (let j = 0; j < N; j++) {
        let sum = 0;
        for (let k = 0; k < N; k++) sum += precision[j * N + k]! * z[k]!;
        residual[j] = sum / root[j]!;
        t2 += sum * z[j]!;
      }
      return t2;
    },
    complete(z) {
      const missing = [...z.keys()].filter((j) => Number.isNaN(z[j]!));
      if (missing.length === 0) return;
      const present = [...z.keys()].filter((j) => !Number.isNaN(z[j]!));
      // E[z_m | z_o] solves P_mm z_m = −P_mo z_o.
      const matrix = missing.map((j) => missing.map((k) => precision[j * N + k]!));
      const right = missing.map((j) => -present.reduce((sum, k) => sum + precision[j * N + k]! * z[k]!, 0));
      const solution = solve(matrix, right);
      for (const [i, j] of missing.entries()) z[j] = solution[i]!;
    },
    predicted: (z, residual, j) => z[j]! - residual[j]! / root[j]!,
  };
}

/** The quantity without which the vector is the most usual: the one of the largest residual. */
export function largestResidual(residual: Float64Array): number {
  let best = 0;
  for (let j = 1; j < residual.length; j++) {
    if (Math.abs(residual[j]!) > Math.abs(residual[best]!)) best = j;
  }
  return best;
}

/** Solves A·x = b for a symmetric positive definite A by Gauss's elimination, for which it needs no pivoting. */
export function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length;
  const rows = a.map((row, i) => [...row, b[i]!]);
  for (let i = 0; i < n; i++) {
    for (let k = i + 1; k < n; k++) {
      const factor = rows[k]![i]! / rows[i]![i]!;
      for (let c = i; c <= n; c++) rows[k]![c]! -= factor * rows[i]![c]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i]![n]!;
    for (let k = i + 1; k < n; k++) sum -= rows[i]![k]! * x[k]!;
    x[i] = sum / rows[i]![i]!;
  }
  return x;
}

/** Inverse of a symmetric positive definite matrix. */
export function invert(a: readonly (readonly number[])[]): number[][] {
  const columns = a.map((_, j) =>
    solve(
      a,
      a.map((__, i) => (i === j ? 1 : 0)),
    ),
  );
  // Symmetric up to rounding; made so exactly.
  return columns.map((column, i) => column.map((value, j) => (value + columns[j]![i]!) / 2));
}
