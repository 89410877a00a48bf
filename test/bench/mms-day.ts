import { type BookSettings, incidentBook, type RackAlarm } from "../../aggregator/incidents/book.ts";
import { type CauseClass, CLASSES } from "../../aggregator/mms/causes.ts";
import { type Observed, trackEvidence } from "../../aggregator/mms/evidence.ts";
import { type MmsFilter, nextFilter } from "../../aggregator/mms/filter.ts";
import { logRatio, type ScoreModels, withDeparture } from "../../aggregator/mms/likelihood.ts";
import { type Bounds, FRESH_TEST, nextTest, standsAlarmed } from "../../aggregator/mms/sequential.ts";
import { causeFollower } from "../../aggregator/mms/verdicts.ts";
import type { HealthDescription } from "../../shared/contracts/health.ts";
import type { Incident } from "../../shared/contracts/incident.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { rowOf } from "../../shared/contracts/rack.ts";
import { type Interval, intervalBuilder, joined, matchEvents } from "../../shared/ims/evaluate.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { createHealthMonitor, withoutSuspects } from "../../shared/ims/sensor-health.ts";
import { RACKS } from "./fault-schedule.ts";
import type { LabelledEvent } from "./mms-schedule.ts";

/** What is compared: the described filter and the likelihood ratio on D alone, then both with all that agents say. */
export const CHAINS = ["floor D", "ratio D", "floor + agents", "ratio + agents"] as const;
export type Chain = (typeof CHAINS)[number];

export interface Learnt {
  model: ModelFile;
  health: HealthDescription;
  models: ScoreModels;
  bounds: Bounds;
  filter: { ema_alpha: number; ticks: number };
  book: BookSettings;
  limit_c: number;
}

export interface EventOutcome {
  kind: CauseClass;
  severity: number;
  start_s: number;
  racks: number;
  /** Seconds to the first alarm of each chain; of several racks the median. null: missed. */
  delay_s: Record<Chain, number | null>;
  /** Incidents that began during the event on its racks, what they said, and how sure. */
  incidents: { named: CauseClass | null; confidence: number; racks: number; scope: string }[];
}

export interface MmsDayResult {
  seed: number;
  outcomes: EventOutcome[];
  false_alarms: Record<Chain, number>;
  /** Incidents that neither began in an event nor shortly after one, nor beside a faulty rack then. */
  false_incidents: number;
  incidents: number;
  notes: string[];
}

/** What a rack showed while its alarm stood during an event: what the classifier learns from. */
export interface Instance {
  kind: CauseClass;
  weight: number;
  observed: Observed;
}

const CLASS_OF: Record<string, CauseClass> = {
  fan_failure: "fan_fault",
  pump_degradation: "pump_fault",
  load_surge: "high_load",
};
const classOf = (event: LabelledEvent): CauseClass => {
  const kind = "fault" in event ? event.fault.kind : event.kind;
  return CLASS_OF[kind] ?? (kind as CauseClass);
};

const FLICKER_MS = 300_000;
const AFTERMATH_MS = 900_000;
/** Of instances, which follow each other slowly, one in this many windows is kept. */
const INSTANCE_EVERY = 6;

/** A day as agents and aggregator form it: windows in, alarms, causes and incidents out. */
export function createMmsDay(learnt: Learnt, seed: number, schedule: readonly LabelledEvent[]) {
  const { model, health, models, bounds, filter, limit_c } = learnt;
  const scorer = createScorer(model);
  const places = RACKS.map((rack_id, i) => ({ rack_id, row: rowOf(rack_id), position: (i % 12) + 1 }));
  const evidence = trackEvidence(model, places);
  const follower = causeFollower();
  const racks = RACKS.map(() => ({
    monitor: createHealthMonitor(health),
    floor: null as MmsFilter | null,
    on_d: FRESH_TEST,
    full: FRESH_TEST,
    sensors: [] as string[],
    alarm_before: false,
    inlet_c: Number.NaN,
    log_d: null as number | null,
    intervals: perChain(() => intervalBuilder()),
  }));
  let ids = 0;
  const book = incidentBook({
    settings: learnt.book,
    newId: () => `i${++ids}`,
    underMaintenance: () => false,
  });
  const incidents = new Map<string, Incident>();
  const instances: Instance[] = [];

  return {
    /** One window of one rack; `x` loses its suspect features. */
    feed(i: number, at_ms: number, x: Float64Array): void {
      const rack = racks[i]!;
      rack.inlet_c = x[0]!;
      const { suspects, alarms, departure } = rack.monitor.check(at_ms, x);
      withoutSuspects(x, suspects);
      const { d } = scorer.score(x);
      rack.sensors = [...new Set(alarms.map(({ field, problem }) => `${field}: ${problem}`))];
      rack.log_d = null;
      if (!Number.isNaN(d)) {
        rack.floor = nextFilter(
          rack.floor,
          { d, tau_fast: model.tau_fast, tau_persist: model.tau_persist },
          filter,
        );
        const ratio = logRatio(models, d);
        rack.on_d = nextTest(rack.on_d, ratio, bounds);
        rack.full = nextTest(rack.full, withDeparture(ratio, departure), bounds);
        rack.log_d = Math.log(d);
      }
      const floor = rack.floor?.state === "persistent";
      const sensor = rack.sensors.length > 0;
      const full = standsAlarmed(rack.full);
      rack.intervals["floor D"].at(at_ms, floor);
      rack.intervals["ratio D"].at(at_ms, standsAlarmed(rack.on_d));
      rack.intervals["floor + agents"].at(at_ms, floor || sensor || departure !== null);
      rack.intervals["ratio + agents"].at(at_ms, full || sensor);
      evidence.observe(i, x, { departure, sensors: alarms, commanded: false });
    },

    /** After the last rack of a window. */
    look(at_ms: number): void {
      evidence.compare();
      const alarms: RackAlarm[] = [];
      for (const [i, rack] of racks.entries()) {
        const persistent = standsAlarmed(rack.full);
        const place = places[i]!;
        if (!persistent && rack.sensors.length === 0) {
          follower.calm(place.rack_id);
          continue;
        }
        const observed = evidence.of(i);
        keepInstance(i, at_ms, observed);
        const verdict = follower.next(place.rack_id, observed);
        const over_limit = rack.inlet_c >= limit_c;
        const log_d = persistent ? rack.log_d : null;
        alarms.push({ ...place, persistent, sensors: rack.sensors, verdict, over_limit, log_d });
      }
      for (const incident of book.look(at_ms, alarms)) incidents.set(incident.id, incident);
    },

    instances: () => instances,

    result(): MmsDayResult {
      for (const incident of book.active()) incidents.set(incident.id, incident);
      const delays = new Map(schedule.map((event) => [event, perChain((): (number | null)[] => [])]));
      const false_alarms = perChain(() => 0);
      const notes: string[] = [];
      for (const [i, rack] of racks.entries()) {
        const mine = schedule.filter((event) => event.racks.includes(i));
        for (const chain of CHAINS) {
          const alarms = joined(rack.intervals[chain].end(), FLICKER_MS);
          const matched = matchEvents(mine.map(spanOf), alarms, AFTERMATH_MS);
          false_alarms[chain] += matched.false_alarms.length;
          for (const { start_ms } of matched.false_alarms) {
            notes.push(`${chain}: seed ${seed}, ${RACKS[i]} at ${(start_ms / 3_600_000).toFixed(2)} h`);
          }
          for (const [n, { delay_ms }] of matched.events.entries())
            delays.get(mine[n]!)![chain].push(delay_ms);
        }
      }
      const shown = [...incidents.values()].filter(({ merged_into }) => merged_into === null);
      const explained = new Set<Incident>();
      const outcomes = schedule.map((event): EventOutcome => {
        const mine = shown.filter((incident) => beganIn(incident, event, 0));
        for (const incident of shown) if (beganIn(incident, event, AFTERMATH_MS)) explained.add(incident);
        return {
          kind: classOf(event),
          severity: "fault" in event ? event.fault.severity : event.severity,
          start_s: event.start_s,
          racks: event.racks.length,
          delay_s: perChain((chain) => typical(delays.get(event)![chain])),
          incidents: mine.map(({ verdict, racks: parts, scope }) => ({
            named: namedClass(verdict),
            confidence: verdict?.confidence ?? 0,
            racks: parts.length,
            scope,
          })),
        };
      });
      for (const incident of shown.filter((one) => !explained.has(one))) {
        notes.push(`incident: seed ${seed}, ${incident.opened_at.slice(11, 16)}, ${incident.title}`);
      }
      const false_incidents = shown.filter((incident) => !explained.has(incident)).length;
      return { seed, outcomes, false_alarms, false_incidents, incidents: shown.length, notes };
    },
  };

  function keepInstance(i: number, at_ms: number, observed: Observed): void {
    if ((at_ms / 5_000) % INSTANCE_EVERY !== 0) return;
    const at_s = at_ms / 1000;
    const event = schedule.find((e) => e.racks.includes(i) && at_s >= e.start_s && at_s <= e.end_s);
    if (!event) return;
    instances.push({ kind: classOf(event), weight: 1 / event.racks.length, observed });
  }
}

function beganIn(incident: Incident, event: LabelledEvent, tail_ms: number): boolean {
  const opened_ms = Date.parse(incident.opened_at);
  const { start_ms, end_ms } = spanOf(event);
  if (opened_ms < start_ms || opened_ms > end_ms + tail_ms) return false;
  return incident.racks.some(({ rack_id }) => event.racks.includes(RACKS.indexOf(rack_id)));
}

function namedClass(verdict: Incident["verdict"]): CauseClass | null {
  if (!verdict) return null;
  const found = Object.entries(CLASSES).find(
    ([, { cause, sub_cause }]) => cause === verdict.cause && sub_cause === verdict.sub_cause,
  );
  return (found?.[0] as CauseClass | undefined) ?? null;
}

function spanOf({ start_s, end_s }: LabelledEvent): Interval {
  return { start_ms: start_s * 1000, end_ms: end_s * 1000 };
}

function perChain<T>(make: (chain: Chain) => T): Record<Chain, T> {
  return Object.fromEntries(CHAINS.map((chain) => [chain, make(chain)])) as Record<Chain, T>;
}

const NEVER_MS = 1e12;

function typical(delays_ms: readonly (number | null)[]): number | null {
  const sorted = delays_ms.map((delay) => delay ?? NEVER_MS).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? NEVER_MS;
  return middle < NEVER_MS ? middle / 1000 : null;
}
