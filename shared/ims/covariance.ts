import { nearest } from "./euclidean.ts";

/** Counts and scatter of the rows around the centre that each is nearest to. */
interface Scatter {
  rows: number;
  /** F × F, divided by the rows. */
  covariance: Float64Array;
  /** Σ |d dᵀ − covariance|² / rows², the sampling noise of the covariance. */
  noise: number;
}

/**
 * One covariance per cluster, shrunk towards a multiple of the identity by the amount of Ledoit & Wolf, "A
 * well-conditioned estimator for large-dimensional covariance matrices" (Journal of Multivariate Analysis 88, 2004).
 * Collinear features make the plain estimate singular; the shrunk one never is.
 *
 * @param z row-major standardised features, n × F, without NaN
 * @param centers k × F
 * @returns k matrices, F × F, row-major; a cluster of fewer rows than features takes the pooled one
 */
export function shrunkCovariances(z: Float64Array, centers: Float64Array, F: number): Float64Array[] {
  const k = centers.length / F;
  const label = new Int32Array(z.length / F);
  for (let i = 0; i < label.length; i++) label[i] = nearest(centers, z, i * F, F);
  const pooled = shrink(scatterOf(z, centers, label, null, F), F);
  return Array.from({ length: k }, (_, c) => {
    const scatter = scatterOf(z, centers, label, c, F);
    return scatter.rows > F ? shrink(scatter, F) : pooled.slice();
  });
}

/** @param only the cluster whose rows count; null: all rows, each around its own centre */
function scatterOf(
  z: Float64Array,
  centers: Float64Array,
  label: Int32Array,
  only: number | null,
  F: number,
): Scatter {
  const covariance = new Float64Array(F * F);
  const d = new Float64Array(F);
  let rows = 0;
  let fourth = 0;
  for (let i = 0; i < label.length; i++) {
    const c = label[i]!;
    if (only !== null && c !== only) continue;
    rows++;
    let squares = 0;
    for (let j = 0; j < F; j++) {
      d[j] = z[i * F + j]! - centers[c * F + j]!;
      squares += d[j]! * d[j]!;
    }
    fourth += squares * squares;
    for (let a = 0; a < F; a++) for (let b = 0; b <= a; b++) covariance[a * F + b]! += d[a]! * d[b]!;
  }
  let norm = 0;
  for (let a = 0; a < F; a++) {
    for (let b = 0; b <= a; b++) {
      const value = covariance[a * F + b]! / Math.max(1, rows);
      covariance[a * F + b] = value;
      covariance[b * F + a] = value;
      norm += (a === b ? 1 : 2) * value * value;
    }
  }
  const noise = rows > 0 ? Math.max(0, fourth / rows - norm) / rows : 0;
  return { rows, covariance, noise };
}

/** At least this much is always shrunk, so that exact collinearity (delta-T, GPU power) stays invertible. */
const SHRINKAGE_MIN = 1e-3;

function shrink({ covariance, noise }: Scatter, F: number): Float64Array {
  let trace = 0;
  for (let j = 0; j < F; j++) trace += covariance[j * F + j]!;
  const mean = trace / F;
  let distance = 0;
  for (let i = 0; i < F * F; i++) distance += (covariance[i]! - (i % (F + 1) === 0 ? mean : 0)) ** 2;
  const share = Math.min(1, Math.max(SHRINKAGE_MIN, distance > 0 ? noise / distance : 1));
  return covariance.map((value, i) => (1 - share) * value + (i % (F + 1) === 0 ? share * mean : 0));
}
