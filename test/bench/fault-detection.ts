import { type MmsFilter, nextFilter } from "../../aggregator/mms/filter.ts";
import type { HealthDescription } from "../../shared/contracts/health.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { type Interval, intervalBuilder, joined, matchEvents } from "../../shared/ims/evaluate.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { createHealthMonitor, type HealthVerdict, withoutSuspects } from "../../shared/ims/sensor-health.ts";
import { DAY_S, RACKS, type ScheduledFault } from "./fault-schedule.ts";
import { WINDOW_S } from "./fault-windows.ts";

/** The aggregator's shipped settings. */
const MMS = { ema_alpha: 0.3, ticks: 6 };
/** Alarms this close together are one. */
const FLICKER_MS = 300_000;
/** A rack takes this long to get back to where it was: several thermal time constants. */
const AFTERMATH_MS = 900_000;

/** `mms`: persistent D; `sensor`: a sensor's trouble lasts; `rack`: the rack left its learnt relations. */
export const DETECTORS = ["mms", "sensor", "rack"] as const;
type Detector = (typeof DETECTORS)[number];
type PerDetector<T> = Record<Detector | "any", T>;

export interface FaultOutcome {
  seed: number;
  kind: string;
  field: string | null;
  severity: number;
  start_s: number;
  /** Seconds until the first alarm; null: missed. Of several racks half must be found, and their median counts. */
  delay_s: PerDetector<number | null>;
  /** Sensors that were called faulty during the fault on its first rack. */
  blamed: string[];
  /** How far the fault moves D: (mean D during it − nominal mean) ÷ nominal standard deviation. */
  effect: number;
}

export interface DayResult {
  outcomes: FaultOutcome[];
  false_alarms: PerDetector<number>;
  /** Where, when and why, one line each. */
  false_alarm_notes: string[];
}

/** The chain of one day as agents and aggregator form it: windows in, alarms out. */
export function createDayDetector(model: ModelFile, health: HealthDescription | null) {
  const scorer = createScorer(model);
  const racks = RACKS.map(() => ({
    monitor: createHealthMonitor(health),
    filter: null as MmsFilter | null,
    alarms: perDetector(() => intervalBuilder()),
    notes: [] as { at_ms: number; what: string }[],
    d: new Float32Array(DAY_S / WINDOW_S).fill(Number.NaN),
  }));
  return {
    /** One window of one rack; `x` loses its suspect features. */
    feed(i: number, at_ms: number, x: Float64Array): void {
      const rack = racks[i]!;
      const verdict = rack.monitor.check(at_ms, x);
      withoutSuspects(x, verdict.suspects);
      const { d } = scorer.score(x);
      if (!Number.isNaN(d)) rack.filter = nextFilter(rack.filter, { ...thresholds(model), d }, MMS);
      rack.d[Math.round(at_ms / 1000 / WINDOW_S) - 1] = d;
      const mms = rack.filter?.state === "persistent";
      const sensor = verdict.alarms.length > 0;
      const departed = verdict.departure !== null;
      rack.alarms.mms.at(at_ms, mms);
      rack.alarms.sensor.at(at_ms, sensor);
      rack.alarms.rack.at(at_ms, departed);
      rack.alarms.any.at(at_ms, mms || sensor || departed);
      const what = describe(verdict, mms);
      if (what !== (rack.notes.at(-1)?.what ?? "")) rack.notes.push({ at_ms, what });
    },

    result(seed: number, schedule: readonly ScheduledFault[]): DayResult {
      const delays = new Map(schedule.map((entry) => [entry, perDetector((): (number | null)[] => [])]));
      const false_alarms = perDetector(() => 0);
      const false_alarm_notes: string[] = [];
      for (const [i, rack] of racks.entries()) {
        const mine = schedule.filter((entry) => entry.racks.includes(i));
        for (const detector of ["any", ...DETECTORS] as const) {
          const alarms = joined(rack.alarms[detector].end(), FLICKER_MS);
          const matched = matchEvents(mine.map(spanOf), alarms, AFTERMATH_MS);
          false_alarms[detector] += matched.false_alarms.length;
          for (const [n, { delay_ms }] of matched.events.entries()) {
            delays.get(mine[n]!)![detector].push(delay_ms === null ? null : delay_ms / 1000);
          }
          if (detector !== "any") continue;
          for (const alarm of matched.false_alarms) false_alarm_notes.push(note(seed, i, alarm));
        }
      }
      const outcomes = schedule.map((entry): FaultOutcome => {
        const { fault, start_s } = entry;
        const delay_s = delays.get(entry)!;
        return {
          seed,
          kind: fault.kind,
          field: "field" in fault ? fault.field : null,
          severity: fault.severity,
          start_s,
          delay_s: perDetector((detector) => typical(delay_s[detector])),
          blamed: blamedDuring(entry.racks[0]!, spanOf(entry)),
          effect: effectOf(entry),
        };
      });
      return { outcomes, false_alarms, false_alarm_notes };
    },
  };

  function whatDuring(i: number, span: Interval): string[] {
    return racks[i]!.notes.filter(({ at_ms }) => at_ms >= span.start_ms && at_ms <= span.end_ms).map(
      (n) => n.what,
    );
  }

  function blamedDuring(i: number, span: Interval): string[] {
    const names = whatDuring(i, span).flatMap((what) => what.match(/\w+(?=:)/g) ?? []);
    return [...new Set(names)];
  }

  function note(seed: number, i: number, span: Interval): string {
    const hour = (span.start_ms / 3_600_000).toFixed(2);
    const minutes = ((span.end_ms - span.start_ms) / 60_000).toFixed(1);
    return `seed ${seed}, ${RACKS[i]} at ${hour} h for ${minutes} min: ${[...new Set(whatDuring(i, span))].join(" | ")}`;
  }

  function effectOf({ racks: hit, start_s, end_s }: ScheduledFault): number {
    const d = racks[hit[0]!]!.d.subarray(Math.ceil(start_s / WINDOW_S), Math.floor(end_s / WINDOW_S));
    const scored = d.filter((value) => !Number.isNaN(value));
    const mean = scored.reduce((sum, value) => sum + value, 0) / scored.length;
    return (mean - model.distributions.nominal.mean) / model.distributions.nominal.std;
  }
}

function perDetector<T>(make: (detector: Detector | "any") => T): PerDetector<T> {
  return { any: make("any"), mms: make("mms"), sensor: make("sensor"), rack: make("rack") };
}

function thresholds({ tau_fast, tau_persist }: ModelFile) {
  return { tau_fast, tau_persist };
}

function describe(verdict: HealthVerdict, mms: boolean): string {
  const parts = verdict.alarms.map(({ field, problem }) => `${field}:${problem}`);
  if (verdict.departure) parts.push(verdict.departure);
  if (mms) parts.push("mms");
  return parts.join(" ");
}

function spanOf({ start_s, end_s }: ScheduledFault): Interval {
  return { start_ms: start_s * 1000, end_ms: end_s * 1000 };
}

function typical(delays_s: readonly (number | null)[]): number | null {
  const sorted = delays_s.map((delay) => delay ?? DAY_S).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? DAY_S;
  return middle < DAY_S ? middle : null;
}
