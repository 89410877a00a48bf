import TinyQueue from "tinyqueue";

/**
 * Time is passed in, so that tests replay exactly and simulations run faster than real time.
 * All instants are milliseconds since the epoch, all durations milliseconds of *this clock's* time.
 */
export interface Clock {
  now(): number;
  /** What a wall clock showed, or shows, at the instant `at_ms` of this clock: for the `ts` of messages, nothing else. */
  wall(at_ms: number): number;
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
    // An accelerated clock is a simulation's, which has no other time than its own.
    wall: speed === 1 ? wallFollower(now, Date.now) : (at_ms) => at_ms,
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

/** The system's wall clock was set, not merely adjusted, if it is further than this from where it should be. */
const STEP_MS = 1_000;

/**
 * From instants of a monotonic clock to wall time. A wall clock that is set (by NTP at last, or by hand) is followed
 * from the next call on, also for instants before it was: they are as wrong as the clock was. Smaller differences
 * are left alone, so that what follows each other in time does so in `ts`.
 */
export function wallFollower(now: () => number, wall_ms: () => number): (at_ms: number) => number {
  let offset_ms = 0;
  return (at_ms) => {
    const now_offset_ms = wall_ms() - now();
    if (Math.abs(now_offset_ms - offset_ms) > STEP_MS) offset_ms = now_offset_ms;
    return at_ms + offset_ms;
  };
}

/** A clock that moves only when told to. Tasks run in the order of their due times. */
export interface VirtualClock extends Clock {
  advance(duration_ms: number): void;
}

interface Appointment {
  due_ms: number;
  order: number;
  /** null: once. */
  period_ms: number | null;
  task: () => void;
  cancelled: boolean;
}

export function virtualClock(start_ms = 0): VirtualClock {
  const queue = new TinyQueue<Appointment>([], (a, b) => a.due_ms - b.due_ms || a.order - b.order);
  let now_ms = start_ms;
  let order = 0;
  const add = (delay_ms: number, period_ms: number | null, task: () => void) => {
    const appointment = { due_ms: now_ms + delay_ms, order: order++, period_ms, task, cancelled: false };
    queue.push(appointment);
    return () => {
      appointment.cancelled = true;
    };
  };
  return {
    now: () => now_ms,
    wall: (at_ms) => at_ms,
    every: (period_ms, task) => add(period_ms, period_ms, task),
    after: (delay_ms, task) => add(delay_ms, null, task),
    advance(duration_ms) {
      const until_ms = now_ms + duration_ms;
      for (let next = queue.peek(); next && next.due_ms <= until_ms; next = queue.peek()) {
        queue.pop();
        if (next.cancelled) continue;
        now_ms = next.due_ms;
        if (next.period_ms !== null) {
          next.due_ms += next.period_ms;
          queue.push(next);
        }
        next.task();
      }
      now_ms = until_ms;
    },
  };
}

/**
 * Lets a virtual clock follow real time at `speed`, for simulations: unlike the system clock it never merges ticks.
 * On a machine that cannot keep up, simulated time falls behind instead; every simulated second still happens.
 *
 * @returns the function that stops it
 */
export function pace(clock: VirtualClock, speed: number): () => void {
  const origin_real_ms = performance.now();
  const origin_ms = clock.now();
  let stopped = false;
  const turn = () => {
    if (stopped) return;
    const behind_ms = origin_ms + (performance.now() - origin_real_ms) * speed - clock.now();
    if (behind_ms >= PACE_STEP_MS) {
      clock.advance(PACE_STEP_MS);
      // Between two steps the network and promises get their turn.
      setImmediate(turn);
    } else {
      setTimeout(turn, (PACE_STEP_MS - behind_ms) / speed);
    }
  };
  turn();
  return () => {
    stopped = true;
  };
}

const PACE_STEP_MS = 100;

/** ISO 8601 in UTC with milliseconds, the form of every `ts` field. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
