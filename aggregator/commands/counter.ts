import type { SettingStore } from "../store/store.ts";

const SETTING = "last_counter";

/**
 * Numbers that only ever rise, restarts included: wall-clock milliseconds, or the last one plus one where that is
 * more. Commands and manifests share the sequence.
 */
export interface MessageCounter {
  next(): number;
  /** Another writer (the command line) used this number. */
  observe(counter: number): void;
}

export function messageCounter(settings: SettingStore, wall_ms: () => number = Date.now): MessageCounter {
  const stored = settings.get(SETTING);
  let last = typeof stored === "number" ? stored : 0;
  const keep = (counter: number) => {
    last = counter;
    settings.put(SETTING, counter);
    return counter;
  };
  return {
    next: () => keep(Math.max(Math.trunc(wall_ms()), last + 1)),
    observe(counter) {
      if (counter > last) keep(counter);
    },
  };
}
