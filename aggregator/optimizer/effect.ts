/** One value per minute; null where nothing was reported. All series of a comparison share their minutes. */
export type Series = readonly (number | null)[];

export interface Effect {
  /** How much more than its neighbours the rack's value rose after the change. */
  effect: number;
  /** What such a comparison scatters by when nothing is changed. */
  std_error: number;
  before: number;
  after: number;
  /** Complete minutes after the change. */
  minutes: number;
}

/** Mean of so many minutes before a change is what it is compared with. */
const BEFORE_MINUTES = 10;
/** Fewer comparisons of the time before say nothing about their scatter. */
const COMPARISONS_MIN = 5;
/** With fewer neighbours the rack is compared with itself alone. */
export const CONTROLS_MIN = 2;

/**
 * Difference in differences (Angrist & Pischke, "Mostly Harmless Econometrics", ch. 5): what happened to the rack after
 * a change, less what happened to its neighbours, so that load and weather drop out. Its standard error is how much the
 * same comparison scattered before the change, at least that of white noise of the minute-to-minute size.
 *
 * @param change index of the minute of the change, which itself counts neither as before nor as after
 * @param prior_std standard deviation of a minute's value where the time before is too short to tell
 * @returns null where either side has no value
 */
export function measureEffect(
  own: Series,
  controls: readonly Series[],
  change: number,
  prior_std: number,
): Effect | null {
  const relative = own.map((value, t) => (value === null ? null : lessControls(value, controls, t)));
  const before = mean(relative, change - BEFORE_MINUTES, change);
  const after = mean(relative, change + 1, relative.length);
  const level = mean(own, change - BEFORE_MINUTES, change);
  const level_after = mean(own, change + 1, own.length);
  if (!before || !after || !level || !level_after) return null;
  const std_error = Math.max(
    minuteStd(relative.slice(0, change), prior_std) * Math.sqrt(1 / before.n + 1 / after.n),
    scatterBefore(relative, change, relative.length - change - 1),
  );
  return {
    effect: after.value - before.value,
    std_error,
    before: level.value,
    after: level_after.value,
    minutes: after.n,
  };
}

/** Whether a comparison around this change has minutes of the series on both sides. */
export function isKnownAround(series: Series, change: number): boolean {
  return (
    mean(series, change - BEFORE_MINUTES, change) !== null && mean(series, change + 1, series.length) !== null
  );
}

function lessControls(value: number, controls: readonly Series[], t: number): number | null {
  if (controls.length < CONTROLS_MIN) return value;
  let sum = 0;
  let n = 0;
  for (const series of controls) {
    const other = series[t] ?? null;
    if (other === null) continue;
    sum += other;
    n++;
  }
  return n < CONTROLS_MIN ? null : value - sum / n;
}

/** Root mean square of the same comparison at every minute before the change; 0 where there are too few. */
function scatterBefore(relative: Series, change: number, after_minutes: number): number {
  const squares: number[] = [];
  for (let at = 1; at + after_minutes < change; at++) {
    const before = mean(relative, at - BEFORE_MINUTES, at);
    const after = mean(relative, at + 1, at + 1 + after_minutes);
    if (before && after) squares.push((after.value - before.value) ** 2);
  }
  if (squares.length < COMPARISONS_MIN) return 0;
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

/** Standard deviation of one minute's value, from the differences of neighbouring minutes, which no trend disturbs. */
export function minuteStd(series: Series, prior_std: number): number {
  const squares: number[] = [];
  for (let t = 1; t < series.length; t++) {
    const now = series[t] ?? null;
    const then = series[t - 1] ?? null;
    if (now !== null && then !== null) squares.push((now - then) ** 2 / 2);
  }
  if (squares.length < COMPARISONS_MIN) return prior_std;
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

export function mean(series: Series, from: number, to: number): { value: number; n: number } | null {
  let sum = 0;
  let n = 0;
  for (let t = Math.max(0, from); t < Math.min(series.length, to); t++) {
    const value = series[t] ?? null;
    if (value === null) continue;
    sum += value;
    n++;
  }
  return n > 0 ? { value: sum / n, n } : null;
}
