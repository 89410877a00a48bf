import pino from "pino";
import type { Log } from "../../shared/log.ts";

export interface TickLog {
  /** For an agent, at debug level: it writes one line per guard tick. */
  log: Log;
  /** When each guard tick was, in milliseconds of the agent's clock. */
  ticks(): number[];
  /** Every other line. */
  events(): Record<string, unknown>[];
}

/** An agent's log, kept apart by what it says. */
export function tickLog(): TickLog {
  const ticks: number[] = [];
  const events: Record<string, unknown>[] = [];
  const stream = {
    write(line: string) {
      const event = JSON.parse(line) as Record<string, unknown>;
      if (event.event === "tick") ticks.push(Number(event.at_ms));
      else events.push(event);
    },
  };
  return { log: pino({ level: "debug" }, stream), ticks: () => ticks, events: () => events };
}

/** How many ticks did not come between the first and the last: a gap of 1.5 intervals or more lacks one. */
export function missedTicks(ticks: readonly number[], interval_s: number): number {
  let missed = 0;
  for (let i = 1; i < ticks.length; i++) {
    missed += Math.max(0, Math.round((ticks[i]! - ticks[i - 1]!) / (interval_s * 1000)) - 1);
  }
  return missed;
}
