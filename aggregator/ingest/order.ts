/** A counter that falls back while the clock moved on by more than this was restarted, not reordered. */
const RESTART_MS = 60_000;

/**
 * This many late samples in a row, each newer than the one before, are not late: what came before them was wrong, for
 * example an agent whose clock ran years ahead until it was set.
 */
const LATE_RUN_MAX = 6;

/** The late samples since the last one in order. */
export interface LateRun {
  seq: number;
  count: number;
}

export type Order =
  /** `lost`: how many samples are missing between this one and the last. */
  | { kind: "in_order"; lost: number; restarted: boolean }
  /** Older than what was already accepted; `found` 1 if it fills a gap that was counted as lost. */
  | { kind: "late"; found: number }
  | { kind: "duplicate" };

/**
 * Where a sample stands in its rack's sequence. The store knows every (rack, seq) ever accepted, so memory holds two
 * numbers per rack and a restart forgets nothing.
 */
export function orderOf(
  last: { seq: number | null; ts_ms: number; lost: number; late_run: LateRun | null },
  sample: { seq: number; ts_ms: number; interval_s: number },
  seen: boolean,
): Order {
  if (seen) return { kind: "duplicate" };
  if (last.seq === null) return { kind: "in_order", lost: 0, restarted: false };
  if (sample.seq > last.seq) {
    return { kind: "in_order", lost: lostBetween({ ...last, seq: last.seq }, sample), restarted: false };
  }
  if (sample.ts_ms > last.ts_ms + RESTART_MS) return { kind: "in_order", lost: 0, restarted: true };
  if (nextLateRun(last.late_run, sample.seq).count >= LATE_RUN_MAX) {
    return { kind: "in_order", lost: 0, restarted: true };
  }
  return { kind: "late", found: last.lost > 0 ? 1 : 0 };
}

/** The run of late samples with one more. */
export function nextLateRun(run: LateRun | null, seq: number): LateRun {
  return { seq, count: run && seq > run.seq ? run.count + 1 : 1 };
}

/**
 * Missing numbers, as far as time had room for them: a counter that jumps further than the clock belongs to a
 * restarted agent, or to a writer that numbers its samples by time, and nothing was lost.
 */
function lostBetween(
  last: { seq: number; ts_ms: number },
  sample: { seq: number; ts_ms: number; interval_s: number },
): number {
  const gap = sample.seq - last.seq - 1;
  const room = Math.max(0, Math.round((sample.ts_ms - last.ts_ms) / (sample.interval_s * 1000)) - 1);
  const plausible = gap <= 2 * room + 4;
  return plausible ? Math.min(gap, room) : 0;
}
