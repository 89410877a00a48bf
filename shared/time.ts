/**
 * Time is passed in, so that tests replay exactly and simulations run faster than real time.
 * All instants are milliseconds since the epoch, all durations milliseconds of *this clock's* time.
 */
export interface Clock {
  now(): number;
  /** Runs `task` every `period_ms`; late ticks are merged into one, never queued. Returns the stop function. */
  every(period_ms: number, task: () => void): () => void;
  /** Runs `task` once. Returns the cancel function. */
  after(delay_ms: number, task: () => void): () => void;
}

/**
 * The system's clock, optionally accelerated: at `speed` 10 one real second is ten seconds of this clock.
 * Scheduling follows the monotonic clock, so a step of the wall clock neither bursts nor stalls a loop.
 */
export function systemClock(speed = 1, start_ms = Date.now()): Clock {
  const origin = performance.now();
  const now = () => start_ms + (performance.now() - origin) * speed;
  return {
    now,
    every(period_ms, task) {
      const real_ms = period_ms / speed;
      let next = performance.now() + real_ms;
      let timer: NodeJS.Timeout;
      const arm = () => {
        timer = setTimeout(tick, Math.max(0, next - performance.now()));
      };
      const tick = () => {
        const missed = Math.floor((performance.now() - next) / real_ms);
        next += real_ms * (Math.max(0, missed) + 1);
        arm();
        task();
      };
      arm();
      return () => clearTimeout(timer);
    },
    after(delay_ms, task) {
      const timer = setTimeout(task, delay_ms / speed);
      return () => clearTimeout(timer);
    },
  };
}

/** A clock that moves only when told to. Tasks run in the order of their due times. */
export interface VirtualClock extends Clock {
  advance(duration_ms: number): void;
}

export function virtualClock(start_ms = 0): VirtualClock {
  interface Entry {
    due: number;
    order: number;
    period_ms: number | null;
    task: () => void;
  }
  let current = start_ms;
  let order = 0;
  const entries = new Set<Entry>();
  const add = (delay_ms: number, period_ms: number | null, task: () => void) => {
    const entry: Entry = { due: current + delay_ms, order: order++, period_ms, task };
    entries.add(entry);
    return () => {
      entries.delete(entry);
    };
  };
  const earliest = (until: number): Entry | undefined => {
    let best: Entry | undefined;
    for (const e of entries) {
      if (e.due > until) continue;
      if (!best || e.due < best.due || (e.due === best.due && e.order < best.order)) best = e;
    }
    return best;
  };
  return {
    now: () => current,
    every: (period_ms, task) => add(period_ms, period_ms, task),
    after: (delay_ms, task) => add(delay_ms, null, task),
    advance(duration_ms) {
      const until = current + duration_ms;
      for (let entry = earliest(until); entry; entry = earliest(until)) {
        current = entry.due;
        if (entry.period_ms === null) entries.delete(entry);
        else entry.due += entry.period_ms;
        entry.task();
      }
      current = until;
    },
  };
}

/** ISO 8601 in UTC with milliseconds, the form of every `ts` field. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
