/** Quarters of an hour: fine enough for the flanks of office hours. */
const BINS = 96;
const DAY_MS = 86_400_000;
/** A day counts this much in a bin's mean against all days before. */
const DAY_WEIGHT = 0.3;
/** Without a profile the trend of the last minutes goes on, damped: half of it is the noise of jobs that come and go. */
const TREND_S = 600;
const TREND_TRUST = 0.5;
/** Bursts within a minute are no change of level. */
const LEVEL_WEIGHT = 0.4;
/** A profile may not multiply the present load beyond this. */
const GROWTH_MAX = 1.6;

/** Expected load: the present level, moved along the day's usual curve. */
export interface LoadForecast {
  observe(now_ms: number, tokens_ps: number): void;
  /** Expected mean load in `ahead_s` seconds; null before the first observation. */
  expected(now_ms: number, ahead_s: number): number | null;
}

export function createLoadForecast(): LoadForecast {
  const profile = new Float64Array(BINS).fill(Number.NaN);
  let bin_sum = 0;
  let bin_count = 0;
  let bin_at = -1;
  let level: number | null = null;
  let slow = 0;
  let last_ms = 0;

  const binOf = (at_ms: number) => Math.floor(((((at_ms % DAY_MS) + DAY_MS) % DAY_MS) / DAY_MS) * BINS);
  const close = () => {
    if (bin_at < 0 || bin_count === 0) return;
    const mean = bin_sum / bin_count;
    const before = profile[bin_at]!;
    profile[bin_at] = Number.isNaN(before) ? mean : before + DAY_WEIGHT * (mean - before);
    bin_sum = 0;
    bin_count = 0;
  };
  /** Between the middles of two bins; NaN where a bin was never seen. */
  const usual = (at_ms: number) => {
    const position = ((((at_ms % DAY_MS) + DAY_MS) % DAY_MS) / DAY_MS) * BINS - 0.5;
    const first = (Math.floor(position) + BINS) % BINS;
    const share = position - Math.floor(position);
    return profile[first]! * (1 - share) + profile[(first + 1) % BINS]! * share;
  };

  return {
    observe(now_ms, tokens_ps) {
      const bin = binOf(now_ms);
      if (bin !== bin_at) {
        close();
        bin_at = bin;
      }
      bin_sum += tokens_ps;
      bin_count++;
      if (level === null) slow = tokens_ps;
      else slow += (tokens_ps - slow) * (1 - Math.exp(-Math.max(0, now_ms - last_ms) / 1000 / TREND_S));
      level = level === null ? tokens_ps : level + LEVEL_WEIGHT * (tokens_ps - level);
      last_ms = now_ms;
    },
    expected(now_ms, ahead_s) {
      if (level === null) return null;
      const ratio = usual(now_ms + ahead_s * 1000) / usual(now_ms);
      if (Number.isFinite(ratio)) return level * Math.min(GROWTH_MAX, Math.max(1 / GROWTH_MAX, ratio));
      const trend = (TREND_TRUST * (level - slow) * ahead_s) / TREND_S;
      return Math.max(level / GROWTH_MAX, Math.min(level * GROWTH_MAX, level + trend));
    },
  };
}
