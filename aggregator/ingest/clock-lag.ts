/** How long a rack's samples take from their `ts` to their arrival here: its clock's error, or a backlog's age. */
export interface ClockLag {
  /** Negative: the rack's clock is ahead. */
  lag_ms: number;
  /** Arrival of the first sample with about this lag. */
  since_ms: number;
  /** It has been the same for so long that it is the clock's. */
  steady: boolean;
  /** What was said of this clock last; null: nothing, or that it is right. */
  told_ms: number | null;
}

/** How much a lag may move, in intervals of the samples, within how many of them; jitter is no more than the first. */
const MOVE_INTERVALS = 1;
const STEADY_INTERVALS = 12;
/** Samples that come more often than this are judged as if they did not. */
const INTERVAL_MIN_S = 10;
/** A clock that is off by more than this is worth a word. */
const OFF_MS = 60_000;

/**
 * The lag after one more sample in order. A backlog comes faster than it was made, so its lag shrinks: one that comes
 * at more than 13/12 of its own pace is never steady. Live samples from a wrong clock arrive as far apart as they were
 * taken. What is delayed by always the same time cannot be told from a slow clock.
 */
export function nextLag(
  before: ClockLag | null,
  sample: { ts_ms: number; received_ms: number; interval_s: number },
): ClockLag {
  const { ts_ms, received_ms } = sample;
  const interval_ms = Math.max(INTERVAL_MIN_S, sample.interval_s) * 1000;
  const lag_ms = received_ms - ts_ms;
  const same = before !== null && Math.abs(lag_ms - before.lag_ms) <= MOVE_INTERVALS * interval_ms;
  if (!same) return { lag_ms, since_ms: received_ms, steady: false, told_ms: before?.told_ms ?? null };
  const steady = before.steady || received_ms - before.since_ms >= STEADY_INTERVALS * interval_ms;
  return { ...before, steady, told_ms: steady ? toldOf(before) : before.told_ms };
}

/** What there is to say once the lag is known: small changes of a clock that is known to be off are no news. */
function toldOf({ lag_ms, told_ms }: ClockLag): number | null {
  if (Math.abs(lag_ms) <= OFF_MS) return null;
  return told_ms !== null && Math.abs(lag_ms - told_ms) <= OFF_MS ? told_ms : lag_ms;
}
