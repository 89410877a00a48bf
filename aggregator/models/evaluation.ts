import type { HealthDescription } from "../../shared/contracts/health.ts";
import {
  type Confusion,
  count,
  type EventMatch,
  emptyConfusion,
  type Interval,
  intervalBuilder,
  joined,
  matchEvents,
  type Rates,
  ratesOf,
} from "../../shared/ims/evaluate.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import type { LabelledRack, LabelledRows } from "../../shared/ims/labelled-rows.ts";
import { levelOf, type Scorer } from "../../shared/ims/score.ts";
import { createHealthMonitor, withoutSuspects } from "../../shared/ims/sensor-health.ts";
import { moments, quantile } from "../../shared/ims/statistics.ts";
import { type MmsFilter, type MmsSettings, nextFilter } from "../mms/filter.ts";

const F = FEATURES.length;
const DAY_MS = 86_400_000;

/** `fast`: D ≥ tau_fast; `persist`: D ≥ tau_persist; `alarm`: MMS persistent, or what sensor health reports. */
export const SIGNALS = ["fast", "persist", "alarm"] as const;
type Signal = (typeof SIGNALS)[number];

export interface EvaluationSettings {
  mms: MmsSettings;
  /** null: D alone. */
  health: HealthDescription | null;
  /** Alarms this close together are one. */
  flicker_ms: number;
  /** An alarm that begins this soon after an event is its aftermath and not false. */
  aftermath_ms: number;
}

export interface SignalResult {
  samples: (Confusion & Rates) | null;
  events: {
    total: number;
    found: number;
    /** Alarms that belong to an event among all alarms. */
    precision: number | null;
    recall: number | null;
    f1: number | null;
    median_delay_s: number | null;
    by_label: Record<string, { total: number; found: number; median_delay_s: number | null }>;
  } | null;
  /** Without labels these are all alarms. */
  alarms: number;
  false_alarms_per_rack_day: number | null;
  alarms_per_rack_day: number | null;
  /** Share of the samples at which the signal stood. */
  active_share: number;
}

export interface Evaluation {
  rows: number;
  /** Rows without a single feature, which cannot be scored. */
  unscored: number;
  racks: number;
  rack_days: number;
  d: { mean: number; std: number; p50: number; p95: number; p98: number; p99: number; max: number };
  signals: Record<Signal, SignalResult>;
}

type LabelledInterval = Interval & { label: string };

interface LabelledEvent extends EventMatch {
  label: string;
}

/** Scores a recording as agents and aggregator would, and compares what they would have said with the labels. */
export function evaluate(rows: LabelledRows, scorer: Scorer, settings: EvaluationSettings): Evaluation {
  const labelled = rows.label_column !== null;
  const tallies = perSignal(() => ({
    confusion: emptyConfusion(),
    events: [] as LabelledEvent[],
    alarms: 0,
    false_alarms: 0,
    active: 0,
  }));
  const all_d: number[] = [];
  let rack_ms = 0;
  for (const rack of rows.racks) {
    const scored = scoreRack(rack, scorer, settings);
    rack_ms += observedMs(rack);
    for (const d of scored.d) if (!Number.isNaN(d)) all_d.push(d);
    const events = eventsOf(rack);
    for (const signal of SIGNALS) {
      const tally = tallies[signal];
      const flags = scored.flags[signal];
      const builder = intervalBuilder();
      for (let i = 0; i < flags.length; i++) {
        builder.at(rack.ts_ms[i]!, flags[i] === 1);
        tally.active += flags[i]!;
        if (labelled) count(tally.confusion, rack.labels[i] !== "", flags[i] === 1);
      }
      const alarms = joined(builder.end(), settings.flicker_ms);
      const matched = matchEvents(events, alarms, settings.aftermath_ms);
      tally.alarms += alarms.length;
      tally.false_alarms += matched.false_alarms.length;
      for (const [n, match] of matched.events.entries())
        tally.events.push({ ...match, label: events[n]!.label });
    }
  }
  const rack_days = rack_ms / DAY_MS;
  const per_rack_day = (n: number) => (rack_days > 0 ? n / rack_days : null);
  return {
    rows: rows.rows,
    unscored: rows.rows - all_d.length,
    racks: rows.racks.length,
    rack_days,
    d: summary(Float64Array.from(all_d)),
    signals: perSignal((signal) => {
      const { confusion, events, alarms, false_alarms, active } = tallies[signal];
      return {
        samples: labelled ? { ...confusion, ...ratesOf(confusion) } : null,
        events: labelled ? eventResult(events, alarms, false_alarms) : null,
        alarms,
        false_alarms_per_rack_day: labelled ? per_rack_day(false_alarms) : null,
        alarms_per_rack_day: per_rack_day(alarms),
        active_share: active / rows.rows,
      };
    }),
  };
}

function perSignal<T>(make: (signal: Signal) => T): Record<Signal, T> {
  return { fast: make("fast"), persist: make("persist"), alarm: make("alarm") };
}

function scoreRack(rack: LabelledRack, scorer: Scorer, { mms, health }: EvaluationSettings) {
  const { model } = scorer;
  const rows = rack.ts_ms.length;
  const d = new Float64Array(rows);
  const flags = perSignal(() => new Uint8Array(rows));
  const monitor = health ? createHealthMonitor(health) : null;
  const x = new Float64Array(F);
  let filter: MmsFilter | null = null;
  for (let i = 0; i < rows; i++) {
    x.set(rack.x.subarray(i * F, i * F + F));
    const verdict = monitor?.check(rack.ts_ms[i]!, x);
    if (verdict) withoutSuspects(x, verdict.suspects);
    d[i] = scorer.score(x).d;
    const troubled = verdict !== undefined && (verdict.alarms.length > 0 || verdict.departure !== null);
    if (!Number.isNaN(d[i]!)) {
      const level = levelOf(d[i]!, model);
      flags.fast[i] = level === "nominal" ? 0 : 1;
      flags.persist[i] = level === "persist" ? 1 : 0;
      filter = nextFilter(
        filter,
        { d: d[i]!, tau_fast: model.tau_fast, tau_persist: model.tau_persist },
        mms,
      );
    }
    flags.alarm[i] = filter?.state === "persistent" || troubled ? 1 : 0;
  }
  return { d, flags };
}

/** Runs of rows with one label; `a+b` is two events at once. */
function eventsOf({ ts_ms, labels }: LabelledRack): LabelledInterval[] {
  const events: LabelledInterval[] = [];
  let running = new Map<string, LabelledInterval>();
  for (const [i, text] of labels.entries()) {
    const still = new Map<string, LabelledInterval>();
    for (const label of text === "" ? [] : text.split("+")) {
      const known = running.get(label);
      const event = known ?? { label, start_ms: ts_ms[i]!, end_ms: ts_ms[i]! };
      if (!known) events.push(event);
      event.end_ms = ts_ms[i]!;
      still.set(label, event);
    }
    running = still;
  }
  return events;
}

/** From the first row to the last, and the time that the last one stands for. */
function observedMs({ ts_ms }: LabelledRack): number {
  if (ts_ms.length < 2) return 0;
  const span = ts_ms.at(-1)! - ts_ms[0]!;
  return span + span / (ts_ms.length - 1);
}

function eventResult(
  events: readonly LabelledEvent[],
  alarms: number,
  false_alarms: number,
): SignalResult["events"] {
  const found = events.filter((event) => event.delay_ms !== null);
  const precision = alarms > 0 ? (alarms - false_alarms) / alarms : null;
  const recall = events.length > 0 ? found.length / events.length : null;
  const both = precision !== null && recall !== null && precision + recall > 0;
  const by_label: NonNullable<SignalResult["events"]>["by_label"] = {};
  for (const label of [...new Set(events.map((event) => event.label))].sort()) {
    const mine = events.filter((event) => event.label === label);
    const hit = mine.filter((event) => event.delay_ms !== null);
    by_label[label] = { total: mine.length, found: hit.length, median_delay_s: medianDelay(hit) };
  }
  return {
    total: events.length,
    found: found.length,
    precision,
    recall,
    f1: both ? (2 * precision * recall) / (precision + recall) : null,
    median_delay_s: medianDelay(found),
    by_label,
  };
}

function medianDelay(events: readonly EventMatch[]): number | null {
  if (events.length === 0) return null;
  return quantile(Float64Array.from(events, (event) => event.delay_ms! / 1000).sort(), 0.5);
}

function summary(d: Float64Array): Evaluation["d"] {
  const sorted = d.toSorted();
  const at = (q: number) => quantile(sorted, q);
  return { ...moments(d), p50: at(0.5), p95: at(0.95), p98: at(0.98), p99: at(0.99), max: at(1) };
}
