/** Sample by sample: what was true, and what was said. */
export interface Confusion {
  true_positives: number;
  false_positives: number;
  true_negatives: number;
  false_negatives: number;
}

/** Shares in [0, 1]; null where nothing was there to be counted. */
export interface Rates {
  precision: number | null;
  recall: number | null;
  f1: number | null;
  /** False alarms among the normal samples. */
  false_alarm_rate: number | null;
  /** Unnoticed among the anomalous samples. */
  miss_rate: number | null;
}

/** A span of time, both ends included. */
export interface Interval {
  start_ms: number;
  end_ms: number;
}

export interface EventMatch {
  event: Interval;
  /** From the event's start to the first alarm that began during it; null: missed. */
  delay_ms: number | null;
}

export function emptyConfusion(): Confusion {
  return { true_positives: 0, false_positives: 0, true_negatives: 0, false_negatives: 0 };
}

/** Counts one sample in. */
export function count(confusion: Confusion, anomalous: boolean, alarm: boolean): void {
  if (anomalous) confusion[alarm ? "true_positives" : "false_negatives"]++;
  else confusion[alarm ? "false_positives" : "true_negatives"]++;
}

export function ratesOf(c: Confusion): Rates {
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);
  const anomalous = c.true_positives + c.false_negatives;
  return {
    precision: share(c.true_positives, c.true_positives + c.false_positives),
    recall: share(c.true_positives, anomalous),
    f1: share(2 * c.true_positives, 2 * c.true_positives + c.false_positives + c.false_negatives),
    false_alarm_rate: share(c.false_positives, c.false_positives + c.true_negatives),
    miss_rate: share(c.false_negatives, anomalous),
  };
}

/** Collects a flag over time into the intervals in which it stood; `end` closes one that still stands. */
export function intervalBuilder(): { at(ms: number, flag: boolean): void; end(): Interval[] } {
  const intervals: Interval[] = [];
  let open: Interval | null = null;
  return {
    at(ms, flag) {
      if (!flag) {
        open = null;
        return;
      }
      if (open) open.end_ms = ms;
      else {
        open = { start_ms: ms, end_ms: ms };
        intervals.push(open);
      }
    },
    end: () => intervals,
  };
}

/** Joins intervals that are at most `gap_ms` apart: an alarm that flickers is one alarm. Input in order of start. */
export function joined(intervals: readonly Interval[], gap_ms: number): Interval[] {
  const result: Interval[] = [];
  for (const { start_ms, end_ms } of intervals) {
    const last = result.at(-1);
    if (last && start_ms - last.end_ms <= gap_ms) last.end_ms = Math.max(last.end_ms, end_ms);
    else result.push({ start_ms, end_ms });
  }
  return result;
}

/**
 * Matches the alarms of one rack with what really happened to it. An alarm belongs to an event if it began during
 * it; one that stood already says nothing about it. An alarm that began neither during an event nor within
 * `aftermath_ms` after one (the rack is still recovering) is false.
 */
export function matchEvents(
  events: readonly Interval[],
  alarms: readonly Interval[],
  aftermath_ms: number,
): { events: EventMatch[]; false_alarms: Interval[] } {
  const began = (alarm: Interval, event: Interval, tail_ms: number) =>
    alarm.start_ms >= event.start_ms && alarm.start_ms <= event.end_ms + tail_ms;
  const matches = events.map((event) => {
    const first = alarms.find((alarm) => began(alarm, event, 0));
    return { event, delay_ms: first ? first.start_ms - event.start_ms : null };
  });
  const false_alarms = alarms.filter((alarm) => !events.some((event) => began(alarm, event, aftermath_ms)));
  return { events: matches, false_alarms };
}

/** Area under the receiver operating characteristic: the chance that an anomalous score exceeds a normal one. */
export function rocCurve(
  scores: Float64Array,
  anomalous: Uint8Array,
): { points: { false_alarm_rate: number; recall: number }[]; area: number } {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  const positives = anomalous.reduce((sum, flag) => sum + flag, 0);
  const negatives = anomalous.length - positives;
  const points = [{ false_alarm_rate: 0, recall: 0 }];
  let hits = 0;
  let false_alarms = 0;
  let area = 0;
  for (let i = 0; i < order.length; ) {
    const score = scores[order[i]!]!;
    const before = { hits, false_alarms };
    // Equal scores share one threshold, so they are one step of the curve.
    for (; i < order.length && scores[order[i]!] === score; i++) {
      if (anomalous[order[i]!]) hits++;
      else false_alarms++;
    }
    area += ((false_alarms - before.false_alarms) * (hits + before.hits)) / 2;
    points.push({ false_alarm_rate: false_alarms / negatives, recall: hits / positives });
  }
  return { points, area: area / (positives * negatives) };
}
