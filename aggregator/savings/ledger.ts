import { RACK_TARGETS } from "../../shared/contracts/action.ts";
import type { SavingsConfig } from "../../shared/contracts/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { ActionLog } from "../actions/action-log.ts";
import type { Fleet } from "../fleet.ts";
import type { Store } from "../store/store.ts";
import { estimateSaving, type SavingsReport } from "./estimate.ts";
import { INTERVAL_MS, toInterval } from "./interval.ts";

/** Keeps the site's energy per quarter of an hour, and tells what was saved. */
export interface EnergyLedger {
  /** In [from_ms, to_ms): the baseline is learnt from what was unoptimised in the days up to `to_ms`. */
  savings(from_ms: number, to_ms: number): SavingsReport;
  /** Of the last 24 h; computed anew once per interval. */
  lastDay(): SavingsReport;
  start(): void;
  stop(): void;
}

interface LedgerContext {
  config: SavingsConfig;
  clock: Clock;
  log: Log;
  store: Store;
  fleet: Fleet;
  actions: ActionLog;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Samples of an interval may still be on their way for this long after its end. */
const SETTLE_MS = 120_000;

/** What was seen, minute by minute, of an interval that is not closed yet. */
interface Watch {
  start_ms: number;
  looks: number;
  driven: number;
  supply_c: number;
}

export function energyLedger(context: LedgerContext): EnergyLedger {
  const { clock, store, config, log } = context;
  const open: Watch[] = [];
  let undriven_before = false;
  let day: { until_ms: number; report: SavingsReport } | null = null;
  let stopTimer: (() => void) | undefined;

  const look = () => {
    const now_ms = clock.now();
    const start_ms = Math.floor(now_ms / INTERVAL_MS) * INTERVAL_MS;
    let watch = open.find((candidate) => candidate.start_ms === start_ms);
    if (!watch) {
      watch = { start_ms, looks: 0, driven: 0, supply_c: config.supply_c };
      open.push(watch);
    }
    watch.looks++;
    watch.driven += drivenShare(context);
    watch.supply_c = context.actions.setpoints.value(null, "supply_c") ?? config.supply_c;
    while (open[0] && open[0].start_ms + INTERVAL_MS + SETTLE_MS <= now_ms) close(open.shift()!);
  };
  const close = ({ start_ms, looks, driven, supply_c }: Watch) => {
    // An interval that was not watched from its beginning, after a start, may have been driven unseen.
    const whole = looks >= INTERVAL_MS / MINUTE_MS - 1;
    const undriven = whole && driven === 0;
    const state = { driven_share: driven / looks, unoptimised: undriven && undriven_before, supply_c };
    undriven_before = undriven;
    const minutes = store.rollups.minutes(start_ms, start_ms + INTERVAL_MS);
    const interval = toInterval(start_ms, minutes, state, config);
    if (interval) store.energy.put(interval);
  };
  const savings = (from_ms: number, to_ms: number) => {
    const known = store.energy.between(Math.min(from_ms, to_ms - config.training_days * DAY_MS), to_ms);
    return estimateSaving(
      known,
      known.filter(({ start_ms }) => start_ms >= from_ms),
    );
  };
  return {
    savings,
    lastDay() {
      const until_ms = (store.energy.newestMs() ?? Number.NEGATIVE_INFINITY) + INTERVAL_MS;
      if (day?.until_ms !== until_ms) {
        const end_ms = Number.isFinite(until_ms) ? until_ms : clock.now();
        day = { until_ms, report: savings(end_ms - DAY_MS, end_ms) };
      }
      return day.report;
    },
    start() {
      stopTimer ??= clock.every(MINUTE_MS, () => {
        try {
          look();
        } catch (error) {
          log.error({ err: error }, "energy of the last interval not kept");
        }
      });
    },
    stop() {
      stopTimer?.();
      stopTimer = undefined;
    },
  };
}

/** Guardrails count too: a rack that is pre-cooled is not as it would be without Skadi. */
function drivenShare({ fleet, actions }: LedgerContext): number {
  if (actions.setpoints.value(null, "supply_c") !== null) return 1;
  const driven = fleet.racks.filter(({ rack_id }) =>
    RACK_TARGETS.some((target) => actions.setpoints.value(rack_id, target) !== null),
  );
  return driven.length / fleet.racks.length;
}
