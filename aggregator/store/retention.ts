import { schedule } from "node-cron";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { Journal } from "../audit/journal.ts";
import type { Store } from "./store.ts";

const DAY_MS = 86_400_000;
const ROLLUP_PERIOD_MS = 60_000;

export interface Upkeep {
  start(): void;
  stop(): Promise<void>;
}

interface UpkeepContext {
  store: Store;
  journal: Journal;
  clock: Clock;
  log: Log;
  config: { raw_days: number; rollup_days: number };
}

/** Rollups every minute; once an hour, what is past its retention goes. */
export function storeUpkeep({ store, journal, clock, log, config }: UpkeepContext): Upkeep {
  const guarded = (task: () => void, what: string) => () => {
    try {
      task();
    } catch (error) {
      log.error({ err: error }, `${what} failed; will be tried again`);
    }
  };
  const prune = guarded(() => {
    const now_ms = clock.now();
    const rollup_before_ms = now_ms - config.rollup_days * DAY_MS;
    const deleted = store.prune(now_ms - config.raw_days * DAY_MS, rollup_before_ms);
    journal.prune(rollup_before_ms);
    log.info(deleted, "retention applied");
  }, "retention");
  let stops: (() => void | Promise<void>)[] = [];
  return {
    start() {
      if (stops.length > 0) return;
      const cron = schedule("17 * * * *", prune, { name: "retention", noOverlap: true });
      stops = [
        clock.every(
          ROLLUP_PERIOD_MS,
          guarded(() => store.rollups.update(), "rollup"),
        ),
        () => cron.destroy(),
      ];
    },
    async stop() {
      for (const stop of stops) await stop();
      stops = [];
    },
  };
}
