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

const PIVOT_SAMPLE = 4_096;
/** So much more than asked for is sorted, in quantile, to make up for the sample's error. */
const PIVOT_SLACK = 0.02;

/**
 * The values with all those sorted that lie above a quantile; below it their order is left open. Sorting everything for
 * two high quantiles took as long as clustering.
 *
 * @returns a copy in which every order statistic from `from_quantile` upwards is in its place
 */
export function upperSorted(values: Float64Array, from_quantile: number): Float64Array {
  const stride = Math.max(1, Math.floor(values.length / PIVOT_SAMPLE));
  const sample = Float64Array.from(
    { length: Math.floor(values.length / stride) },
    (_, i) => values[i * stride]!,
  );
  const pivot = quantile(sample.sort(), Math.max(0, from_quantile - PIVOT_SLACK));
  const out = new Float64Array(values.length);
  let low = 0;
  let high = values.length;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < pivot) out[low++] = value;
    else out[--high] = value;
  }
  // The sample misjudged the pivot: rare, and only slower.
  if (low > Math.floor((values.length - 1) * from_quantile)) return values.toSorted();
  out.subarray(low).sort();
  return out;
}
