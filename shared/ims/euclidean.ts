/**
 * Squared Euclidean distance between the centre at `c_at` and the point at `x_at`, over `features` components.
 * Both matrices are row-major.
 */
export function squaredDistance(
  centers: Float64Array,
  c_at: number,
  x: Float64Array,
  x_at: number,
  features: number,
): number {
  let sum = 0;
  for (let j = 0; j < features; j++) {
    const difference = x[x_at + j]! - centers[c_at + j]!;
    sum += difference * difference;
  }
  return sum;
}

/** Index of the centre nearest to the point at `at`; the lowest index wins a tie. */
export function nearest(centers: Float64Array, x: Float64Array, at: number, features: number): number {
  let best = 0;
  let best_distance = Number.POSITIVE_INFINITY;
  for (let c = 0; c * features < centers.length; c++) {
    const distance = squaredDistance(centers, c * features, x, at, features);
    if (distance < best_distance) {
      best_distance = distance;
      best = c;
    }
  }
  return best;
}
