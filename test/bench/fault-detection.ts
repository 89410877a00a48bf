import { type MmsFilter, nextFilter } from "../../aggregator/mms/filter.ts";
import type { HealthDescription } from "../../shared/contracts/health.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import {
  type EventMatch,
  type Interval,
  intervalBuilder,
  joined,
  matchEvents,
} from "../../shared/ims/evaluate.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { createHealthMonitor, withoutSuspects } from "../../shared/ims/sensor-health.ts";
import { DAY_S, RACKS, type ScheduledFault } from "./fault-schedule.ts";

/** The aggregator's shipped settings. */
const MMS = { ema_alpha: 0.3, ticks: 6 };
/** Alarms this close together are one. */
const FLICKER_MS = 300_000;
/** A rack takes this long to get back to where it was: several thermal time constants. */
const AFTERMATH_MS = 900_000;

export const DETECTORS = ["mms", "sensor", "rack"] as const;
/** `mms`: persistent D; `sensor`: a sensor's trouble lasts; `rack`: the rack left its learnt relations. */
export type Detector = (typeof DETECTORS)[number];

export interface FaultOutcome {
  kind: string;
  field: string | null;
  severity: number;
  start_h: number;
  /** Delay of any alarm, and of each detector by itself; null: missed. */
  delay_s: number | null;
  by: Record<Detector, number | null>;
  /** For a sensor fault: whether that very sensor was named. */
  named: boolean;
}

export interface DayResult {
  seed: number;
  outcomes: FaultOutcome[];
  false_alarms: Record<Detector | "any", number>;
  false_alarm_at: string[];
}

/** The chain of one day: windows in, alarms out. */
export function createDayDetector(model: ModelFile, health: HealthDescription | null) {
  const scorer = createScorer(model);
  const racks = RACKS.map(() => ({
    monitor: createHealthMonitor(health),
    filter: null as MmsFilter | null,
    alarms: {
      any: intervalBuilder(),
      mms: intervalBuilder(),
      sensor: intervalBuilder(),
      rack: intervalBuilder(),
    },
    named: [] as { at_ms: number; what: string }[],
    last_named: "",
  }));
  return {
    /** One window of one rack; `x` loses its suspect features. */
    feed(i: number, at_ms: number, x: Float64Array): void {
      const rack = racks[i]!;
      const verdict = rack.monitor.check(at_ms, x);
      withoutSuspects(x, verdict.suspects);
      const { d } = scorer.score(x);
      const { tau_fast, tau_persist } = model;
      if (!Number.isNaN(d)) rack.filter = nextFilter(rack.filter, { d, tau_fast, tau_persist }, MMS);
      const mms = rack.filter?.state === "persistent";
      const sensor = verdict.alarms.length > 0;
      const departed = verdict.departure !== null;
      rack.alarms.mms.at(at_ms, mms);
      rack.alarms.sensor.at(at_ms, sensor);
      rack.alarms.rack.at(at_ms, departed);
      rack.alarms.any.at(at_ms, mms || sensor || departed);
      const what = [
        ...verdict.alarms.map((a) => `${a.field}:${a.problem}`),
        verdict.departure ?? "",
        mms ? "mms" : "",
      ]
        .filter(Boolean)
        .join(" ");
      if (what !== rack.last_named) rack.named.push({ at_ms, what });
      rack.last_named = what;
    },
    result(seed: number, schedule: readonly ScheduledFault[]): DayResult {
      const found = new Map<ScheduledFault, Record<Detector | "any", (number | null)[]>>();
      const false_alarms = { any: 0, mms: 0, sensor: 0, rack: 0 };
      const false_alarm_at: string[] = [];
      for (const entry of schedule) found.set(entry, { any: [], mms: [], sensor: [], rack: [] });
      for (const [i, rack] of racks.entries()) {
        const mine = schedule.filter((entry) => entry.racks.includes(i));
        const events = mine.map(({ start_s, end_s }) => ({ start_ms: start_s * 1000, end_ms: end_s * 1000 }));
        for (const detector of ["any", ...DETECTORS] as const) {
          const alarms = joined(rack.alarms[detector].end(), FLICKER_MS);
          const matched = matchEvents(events, alarms, AFTERMATH_MS);
          false_alarms[detector] += matched.false_alarms.length;
          for (const [n, match] of matched.events.entries())
            found.get(mine[n]!)![detector].push(delayOf(match));
          if (detector === "any") for (const at of matched.false_alarms) false_alarm_at.push(describe(i, at));
        }
      }
      const describe_named = (entry: ScheduledFault) => namedDuring(entry);
      return {
        seed,
        outcomes: schedule.map((entry) => outcome(entry, describe_named(entry))),
        false_alarms,
        false_alarm_at,
      };

      function outcome(entry: ScheduledFault, named: boolean): FaultOutcome {
        const { fault, start_s } = entry;
        const delays = found.get(entry)!;
        const by = Object.fromEntries(DETECTORS.map((d) => [d, typical(delays[d])])) as FaultOutcome["by"];
        const field = "field" in fault ? fault.field : null;
        const start_h = start_s / 3600;
        return {
          kind: fault.kind,
          field,
          severity: fault.severity,
          start_h,
          delay_s: typical(delays.any),
          by,
          named,
        };
      }

      function namedDuring(entry: ScheduledFault): boolean {
        if (!("field" in entry.fault)) return false;
        const field = entry.fault.field === "gpu_energy_j_total" ? "gpu_power_kw" : entry.fault.field;
        return racks[entry.racks[0]!]!.named.some(
          ({ at_ms, what }) =>
            at_ms >= entry.start_s * 1000 && at_ms <= entry.end_s * 1000 && what.includes(`${field}:`),
        );
      }

      function describe(i: number, at: Interval): string {
        const rack = racks[i]!;
        const what = rack.named
          .filter((n) => n.at_ms >= at.start_ms && n.at_ms <= at.end_ms)
          .map((n) => n.what);
        return `${RACKS[i]} ${(at.start_ms / 3.6e6).toFixed(2)} h, ${((at.end_ms - at.start_ms) / 60_000).toFixed(1)} min: ${[...new Set(what)].join(" | ")}`;
      }
    },
  };
}

function delayOf({ delay_ms }: EventMatch): number | null {
  return delay_ms === null ? null : delay_ms / 1000;
}

/** Of a fault that acts on several racks, half must be found, and the median of the racks counts. */
function typical(delays: readonly (number | null)[]): number | null {
  const sorted = delays.map((delay) => delay ?? DAY_S).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? DAY_S;
  return middle < DAY_S ? middle : null;
}
