/**
 * Quantile with linear interpolation between order statistics (type 7 of Hyndman & Fan, 1996; numpy's default).
 *
 * @param sorted ascending, at least one value
 * @param q in [0, 1]
 */
export function quantile(sorted: Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below);
}

/** Mean and population standard deviation, in two passes so that large offsets lose no digits. */
export function moments(values: Float64Array): { mean: number; std: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length) };
}
