/** Whether nothing is heard any more of what should speak once a second. */
export interface Silence {
  heard(): void;
  /** Once a second; true when it has been silent for too long. */
  tick(): boolean;
}

/**
 * Counts ticks instead of looking at a clock: after a sleep, or in a hidden tab, whose timers are slowed down, there is
 * one tick, and what arrived meanwhile is heard before the next.
 */
export function silence(max_ticks: number): Silence {
  let ticks = 0;
  return {
    heard() {
      ticks = 0;
    },
    tick: () => ++ticks >= max_ticks,
  };
}
