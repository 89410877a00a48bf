/** Eigenvalues and eigenvectors of a symmetric matrix: row i of `vectors` belongs to `values[i]`. */
interface Eigen {
  values: Float64Array;
  /** n × n, row-major, orthonormal rows. */
  vectors: Float64Array;
}

const SWEEPS_MAX = 60;

/**
 * Cyclic Jacobi rotations (Golub & Van Loan, "Matrix Computations", §8.5): slow for large n, but exact to rounding,
 * and it never fails on a symmetric matrix.
 *
 * @param matrix n × n, row-major, symmetric, finite; left as it is
 */
function eigenSymmetric(matrix: Float64Array, n: number): Eigen {
  const a = matrix.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let sweep = 0; sweep < SWEEPS_MAX && offDiagonal(a, n) > 0; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q);
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors };
}

/** Sum of squares off the diagonal, counted as 0 once it is beneath the rounding of the diagonal. */
function offDiagonal(a: Float64Array, n: number): number {
  let off = 0;
  let on = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) on += a[i * n + j]! ** 2;
      else off += a[i * n + j]! ** 2;
    }
  }
  return off > on * Number.EPSILON ** 2 ? off : 0;
}

function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, c, s);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k, c, s);
  for (let k = 0; k < n; k++) turn(vectors, p * n + k, q * n + k, c, s);
}

function turn(m: Float64Array, at_p: number, at_q: number, c: number, s: number): void {
  const p = m[at_p]!;
  const q = m[at_q]!;
  m[at_p] = c * p - s * q;
  m[at_q] = s * p + c * q;
}

/** The symmetric inverse square root W of a positive definite matrix: W W = matrix⁻¹. Null if it is not definite. */
export function inverseRoot(matrix: Float64Array, n: number): Float64Array | null {
  const { values, vectors } = eigenSymmetric(matrix, n);
  const largest = Math.max(...values);
  if (!(Math.min(...values) > largest * Number.EPSILON * n)) return null;
  const root = new Float64Array(n * n);
  for (let e = 0; e < n; e++) {
    const weight = 1 / Math.sqrt(values[e]!);
    for (let i = 0; i < n; i++) {
      const left = vectors[e * n + i]! * weight;
      for (let j = 0; j < n; j++) root[i * n + j]! += left * vectors[e * n + j]!;
    }
  }
  return root;
}
