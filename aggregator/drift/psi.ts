/** Shares of n effectively independent rows, bin by bin. */
export interface Observed {
  shares: readonly number[];
  n: number;
}

/**
 * Population stability index: Σ (a − b) · ln(a ÷ b) over the bins, the symmetric Kullback–Leibler divergence (Siddiqi,
 * "Credit Risk Scorecards", 2006). Half a row is added to every bin, so that a bin that one side never saw counts for
 * what its sample size can say and not for infinity.
 */
export function stabilityIndex(a: Observed, b: Observed): number {
  const bins = a.shares.length;
  let sum = 0;
  for (let i = 0; i < bins; i++) {
    const p = smoothed(a, i, bins);
    const q = smoothed(b, i, bins);
    sum += (p - q) * Math.log(p / q);
  }
  return sum;
}

function smoothed({ shares, n }: Observed, bin: number, bins: number): number {
  return (shares[bin]! * n + 0.5) / (n + 0.5 * bins);
}

/**
 * The index that two samples of one population exceed with this probability: PSI ÷ (1/n + 1/m) follows a χ² of
 * bins − 1 degrees of freedom (Yurdakul, "Statistical Properties of Population Stability Index", 2018).
 */
export function indexByChance(n: number, m: number, bins: number, probability: number): number {
  if (bins < 2) return Number.POSITIVE_INFINITY;
  return chiSquareQuantile(bins - 1, probability) * (1 / n + 1 / m);
}

/** Upper quantile by Wilson & Hilferty ("The distribution of chi-square", PNAS 17, 1931): to 1 % here. */
function chiSquareQuantile(freedom: number, upper: number): number {
  const v = 2 / (9 * freedom);
  return freedom * (1 - v + normalQuantile(upper) * Math.sqrt(v)) ** 3;
}

/** Upper quantile of the standard normal (Abramowitz & Stegun 26.2.23, error below 5e-4); `upper` in (0, 0.5]. */
function normalQuantile(upper: number): number {
  const t = Math.sqrt(-2 * Math.log(upper));
  const top = 2.515517 + t * (0.802853 + t * 0.010328);
  const bottom = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return t - top / bottom;
}
