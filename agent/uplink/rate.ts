/** A bucket of permissions that fills at a steady rate and holds at most a quarter of a second's worth. */
export interface RateLimit {
  /** Uses one permission, if there is one. */
  take(): boolean;
  /** Until the next permission, in milliseconds; 0 if there is one. */
  wait_ms(): number;
}

/** @param now_ms a monotonic time: a step of the wall clock is neither a burst nor a stall */
export function rateLimit(per_s: number, now_ms: () => number): RateLimit {
  const capacity = Math.max(1, per_s / 4);
  let permissions = capacity;
  let filled_ms = now_ms();
  const fill = () => {
    const at_ms = now_ms();
    permissions = Math.min(capacity, permissions + ((at_ms - filled_ms) / 1000) * per_s);
    filled_ms = at_ms;
  };
  return {
    take() {
      fill();
      if (permissions < 1) return false;
      permissions--;
      return true;
    },
    wait_ms() {
      fill();
      return Math.max(0, ((1 - permissions) / per_s) * 1000);
    },
  };
}
