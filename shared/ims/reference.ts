import type { BinnedDistribution, ModelFile, Reference } from "../contracts/model.ts";
import { quantile } from "./statistics.ts";

/** Tenths: what a population stability index is usually computed on. */
const BINS = 10;
/** Enough for shares to within half a percent; sorting every row would take as long as clustering. */
const ROWS_MAX = 4_096;

/**
 * Where a population lies, as at most ten bins between its deciles. Values that many rows share (a fan at its stop, a
 * queue of one) make deciles fall together; such bins become one, so the shares are counted and not taken to be tenths.
 *
 * @param values at least one, finite
 */
export function binned(values: Float64Array): BinnedDistribution {
  const sorted = values.toSorted();
  const deciles = Array.from({ length: BINS - 1 }, (_, i) => quantile(sorted, (i + 1) / BINS));
  const edges = deciles.filter((edge, i) => i === 0 || edge > deciles[i - 1]!);
  const counts = new Float64Array(edges.length + 1);
  for (const value of sorted) counts[binOf(edges, value)]!++;
  return { edges, shares: Array.from(counts, (count) => count / sorted.length) };
}

/** The bin of a value: how many edges lie below it. */
export function binOf(edges: readonly number[], value: number): number {
  let bin = 0;
  while (bin < edges.length && value > edges[bin]!) bin++;
  return bin;
}

/**
 * What nominal operation looked like in training, for whoever asks later whether it still does.
 *
 * @param z standardised nominal rows, n × F
 * @param d their distances
 */
export function referenceOf(
  z: Float64Array,
  d: Float64Array,
  { mean, scale }: ModelFile["scaler"],
): Reference {
  const F = mean.length;
  const stride = Math.max(1, Math.ceil(d.length / ROWS_MAX));
  const rows = Math.ceil(d.length / stride);
  const column = (j: number) =>
    Float64Array.from({ length: rows }, (_, i) => z[i * stride * F + j]! * scale[j]! + mean[j]!);
  return {
    rows,
    features: Array.from({ length: F }, (_, j) => binned(column(j))),
    d: binned(Float64Array.from({ length: rows }, (_, i) => d[i * stride]!)),
  };
}
