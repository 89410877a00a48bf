/** Cumulative counts by upper bound, as a histogram's buckets tell them. */
export type Buckets = ReadonlyMap<number, number>;

/**
 * The quantile of a histogram, by linear interpolation within the bucket where it falls, as Prometheus'
 * histogram_quantile does: the first bucket begins at 0 if its bound is positive, and what falls into the last, open
 * bucket is taken as its lower bound.
 *
 * @param q 0 to 1
 * @returns NaN without observations, or without an open bucket and one more
 */
export function bucketQuantile(q: number, buckets: Buckets): number {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  if (sorted.length < 2 || sorted.at(-1)![0] !== Number.POSITIVE_INFINITY) return Number.NaN;
  // Buckets of several servers are not read at one instant, so that a sum may go back a little.
  let most = 0;
  const counts = sorted.map(([, count]) => {
    most = Math.max(most, count);
    return most;
  });
  const bounds = sorted.map(([bound]) => bound);
  if (most === 0) return Number.NaN;
  const rank = q * most;
  const last = bounds.length - 1;
  const found = counts.findIndex((count) => count >= rank);
  if (found === last) return bounds[last - 1]!;
  const upper = bounds[found]!;
  if (found === 0 && upper <= 0) return upper;
  const [lower, below] = found === 0 ? [0, 0] : [bounds[found - 1]!, counts[found - 1]!];
  const inside = counts[found]! - below;
  return inside === 0 ? lower : lower + (upper - lower) * ((rank - below) / inside);
}

/**
 * What histograms counted within the last `window_ms`, from their ever-growing buckets.
 *
 * @returns a function that takes the buckets of each series and gives those of the window, all series together
 */
export function histogramWindow(
  window_ms: number,
): (now_ms: number, series: ReadonlyMap<string, Buckets>) => Buckets {
  const before = new Map<string, { at_ms: number; buckets: Buckets }>();
  let grown: { at_ms: number; buckets: Buckets }[] = [];
  return (now_ms, series) => {
    for (const [key, buckets] of series) {
      const last = before.get(key);
      before.set(key, { at_ms: now_ms, buckets });
      // Of what came in longer than a window, nobody knows how much belongs into the window.
      if (last && now_ms - last.at_ms <= window_ms) {
        grown.push({ at_ms: now_ms, buckets: growth(last.buckets, buckets) });
      }
    }
    for (const [key, { at_ms }] of before) if (now_ms - at_ms > window_ms) before.delete(key);
    grown = grown.filter(({ at_ms }) => now_ms - at_ms < window_ms);
    const total = new Map<number, number>();
    for (const { buckets } of grown) {
      for (const [bound, count] of buckets) total.set(bound, (total.get(bound) ?? 0) + count);
    }
    return total;
  };
}

/** A histogram that went back in any bucket has started anew: all that it counts is new. */
function growth(before: Buckets, now: Buckets): Buckets {
  const restarted = [...now].some(([bound, count]) => count < (before.get(bound) ?? 0));
  if (restarted) return now;
  return new Map([...now].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}
