/**
 * Quantile of the standard normal distribution (P. J. Acklam's rational approximation, relative error below 1.2e-9).
 *
 * @param p in (0, 1)
 */
export function normalQuantile(p: number): number {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716];
  const b = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
  ];
  const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const tail = (q: number) => poly([...c, 4.374664141464968, 2.938163982698783], q) / poly([...d, 1], q);
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  return (poly([...a, 2.506628277459239], r) * q) / poly([...b, 1], r);
}

const poly = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/**
 * Quantile of Student's t distribution by its expansion around the normal one (Abramowitz & Stegun 26.7.5); within
 * 3 % for df ≥ 3 and p ≤ 0.999.
 */
export function studentQuantile(p: number, df: number): number {
  const z = normalQuantile(p);
  if (!Number.isFinite(df)) return z;
  const g1 = (z ** 3 + z) / 4;
  const g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  const g4 = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160;
  return z + g1 / df + g2 / df ** 2 + g3 / df ** 3 + g4 / df ** 4;
}

/**
 * Fisher's exact test, one-sided: the chance that at least `hit` of `drawn` items are marked, if `marked` of all
 * `total` are and the drawn ones are no others than the rest.
 */
export function fisherTail(hit: number, drawn: number, marked: number, total: number): number {
  const logChoose = (n: number, k: number) => {
    let sum = 0;
    for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
    return sum;
  };
  let chance = 0;
  for (let x = hit; x <= Math.min(drawn, marked); x++) {
    if (drawn - x > total - marked) continue;
    chance += Math.exp(logChoose(marked, x) + logChoose(total - marked, drawn - x) - logChoose(total, drawn));
  }
  return Math.min(1, chance);
}

/**
 * Population stability index of two histograms of the same bins: Σ (a − b) ln(a / b) over their shares. Below 0.1 is
 * usually taken for no shift, above 0.25 for a large one. Half a count per bin keeps empty ones finite.
 */
export function stabilityIndex(a: readonly number[], b: readonly number[]): number {
  const shares = (counts: readonly number[]) => {
    const total = counts.reduce((sum, count) => sum + count + 0.5, 0);
    return counts.map((count) => (count + 0.5) / total);
  };
  const [of_a, of_b] = [shares(a), shares(b)];
  return of_a.reduce((sum, share, i) => sum + (share - of_b[i]!) * Math.log(share / of_b[i]!), 0);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the sample: divides by n − 1. */
export function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}
