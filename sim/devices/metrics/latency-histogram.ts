/** Spread of a lognormal latency whose p95 is 1: σ, and the median that follows from z(0.95) = 1.645. */
const SIGMA = 0.35;
const Z_95 = 1.6448536269514722;

/** A Prometheus histogram of request latencies; counts are cumulative per upper bound, +Inf last. */
export interface LatencyHistogram {
  readonly bounds_s: readonly number[];
  /** Adds `requests` whose 95th percentile, interpolated as Prometheus does, is `p95_s`. */
  observe(requests: number, p95_s: number): void;
  /** Whole numbers: requests up to each bound, then all. */
  counts(): number[];
  sum_s(): number;
}

/**
 * Latencies are lognormal up to the bucket that holds the p95; that bucket's share is chosen so that
 * histogram_quantile(0.95, …), which spreads a bucket's requests evenly, gives the p95 itself and not the next
 * bucket border. Within the first bucket there is nothing to choose: see `bounds_s`.
 *
 * @param bounds_s ascending; the first should lie below any p95
 */
export function latencyHistogram(bounds_s: readonly number[]): LatencyHistogram {
  const cumulative = new Float64Array(bounds_s.length);
  let total = 0;
  let sum_s = 0;
  return {
    bounds_s,
    observe(requests, p95_s) {
      const shares = bucketShares(bounds_s, p95_s);
      for (let k = 0; k < bounds_s.length; k++) cumulative[k]! += requests * shares[k]!;
      total += requests;
      sum_s += requests * p95_s * Math.exp(-Z_95 * SIGMA + SIGMA ** 2 / 2);
    },
    counts: () => [...cumulative, total].map(Math.floor),
    sum_s: () => sum_s,
  };
}

/** Share of the requests at or below each bound. */
function bucketShares(bounds_s: readonly number[], p95_s: number): number[] {
  const lognormal = (x_s: number) => normalCdf(Math.log(x_s / p95_s) / SIGMA + Z_95);
  const shares = bounds_s.map(lognormal);
  const k = bounds_s.findIndex((bound_s) => bound_s >= p95_s);
  if (k <= 0) return shares;
  const low_s = bounds_s[k - 1]!;
  const position = (p95_s - low_s) / (bounds_s[k]! - low_s);
  const below = shares[k - 1]!;
  const above = below + (0.95 - below) / position;
  if (above <= 1) {
    for (let j = k; j < shares.length; j++) shares[j] = Math.max(above, shares[j]!);
    shares[k] = above;
    return shares;
  }
  // Even with all the rest in this bucket too little lies below the p95: the share of the buckets below grows.
  const needed = (0.95 - position) / (1 - position);
  for (let j = 0; j < k - 1; j++) shares[j]! *= below > 0 ? needed / below : 0;
  shares[k - 1] = needed;
  shares.fill(1, k);
  return shares;
}

/** Abramowitz & Stegun 26.2.17, absolute error below 7.5e-8. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return z >= 0 ? 1 - tail : tail;
}
