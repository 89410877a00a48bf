import * as z from "zod";
import { Action, Target } from "./action.ts";
import { Timestamp } from "./envelope.ts";
import { EventBody } from "./event.ts";
import { Condition, Figure, Overview, Share } from "./overview.ts";
import { Score } from "./score.ts";

/** One rack at the end of the period: as it is now, or as it was last known then. */
const RackCell = z.object({
  rack_id: z.string(),
  row: z.string(),
  position: z.int(),
  state: Condition,
  d: Figure,
  tau_fast: Figure,
  inlet_c: Figure,
  contributions: z.array(Share),
});
export type RackCell = z.infer<typeof RackCell>;

const State = z.object({
  ts: Timestamp,
  by_condition: z.record(z.string(), z.int()),
  /** By D, highest first. */
  worst: z.array(RackCell),
  /** Every rack, for a map of the site. */
  cells: z.array(RackCell),
});
export type ReportState = z.infer<typeof State>;

/** Of the racks' mean D in one step. */
const DeviationStep = z.object({
  ts: Timestamp,
  racks: z.int(),
  d_p50: z.number(),
  d_p90: z.number(),
  d_p99: z.number(),
  d_max: z.number(),
  above_fast: z.int().nullable(),
  above_persist: z.int().nullable(),
});
export type DeviationStep = z.infer<typeof DeviationStep>;

const DeviationHistory = z.object({
  /** Of the model in force when the report was made; null without one. */
  tau_fast: Figure,
  tau_persist: Figure,
  steps: z.array(DeviationStep),
  /** By mean D over the period, highest first; the share of the steps in which the rack's mean D was ≥ tau_fast. */
  worst: z.array(
    z.object({ rack_id: z.string(), d_mean: z.number(), d_max: z.number(), above_fast_share: Figure }),
  ),
});
export type DeviationHistory = z.infer<typeof DeviationHistory>;

const EnergyStep = z.object({
  ts: Timestamp,
  energy_kwh: z.number(),
  tokens: z.number(),
  wh_per_prompt: Figure,
  inlet_max_c: Figure,
});

const Energy = z.object({
  energy_kwh: z.number(),
  tokens: z.number(),
  wh_per_prompt: Figure,
  baseline_wh_per_prompt: z.number(),
  /** Against the stated baseline; null where nothing was served. */
  saved_pct: Figure,
  steps: z.array(EnergyStep),
});
export type ReportEnergy = z.infer<typeof Energy>;

const PersistentTime = z.object({ persistent_s: z.number(), share: z.number() });

const Mms = z.object({
  /** Of a rack's state, within the period. */
  changes: z.int(),
  by_state: z.record(z.string(), z.int()),
  /** Racks that were persistent at some time of the period, longest first; the share is of the period. */
  racks: z.array(PersistentTime.extend({ rack_id: z.string(), times: z.int() })),
  /** Every row of the site; the share is of its racks' time. */
  rows: z.array(PersistentTime.extend({ row: z.string() })),
});
export type ReportMms = z.infer<typeof Mms>;

/** What a report needs to know of an incident, whoever keeps it. */
export const ReportIncident = z.object({
  id: z.string(),
  opened_at: Timestamp,
  closed_at: Timestamp.nullable(),
  state: z.string(),
  /** What it is about, e.g. a rack, a row or the site. */
  scope: z.string(),
  racks: z.array(z.string()),
  cause: z.string().nullable(),
  confidence: Figure,
  summary: z.string(),
});
export type ReportIncident = z.infer<typeof ReportIncident>;

const Incidents = z.object({
  /** Open at some time of the period. */
  total: z.int(),
  open: z.int(),
  by_cause: z.record(z.string(), z.int()),
  list: z.array(ReportIncident),
});
export type ReportIncidents = z.infer<typeof Incidents>;

const Counts = z.record(z.string(), z.int());

/** Over the actions that have both, so that the two sums compare. */
const Judged = z.object({ actions: z.int(), predicted_kw: z.number(), realized_kw: z.number() });

const Actions = z.object({
  /** Ever recorded, within the store's retention. */
  total: z.int(),
  in_period: z.int(),
  /** The period had more actions than are read for a report: the newest of them are counted. */
  truncated: z.boolean(),
  by_outcome: Counts,
  by_source: Counts,
  by_kind: Counts,
  by_target: Counts,
  predicted_saving_kw: z.number(),
  realized_saving_kw: z.number(),
  judged: Judged,
  /** Actions whose effect was found worse than before. */
  rollbacks: z.array(
    z.object({
      ts: Timestamp,
      rack_id: z.string().nullable(),
      action_id: z.string(),
      target: z.string(),
      reason: z.string(),
    }),
  ),
  /** Per step of the period and source. */
  steps: z.array(z.object({ ts: Timestamp, by_source: Counts })),
  recent: z.array(Action),
});
export type ReportActions = z.infer<typeof Actions>;

const Attribution = z.object({
  kind: z.string(),
  target: Target,
  actions: z.int(),
  judged: z.int(),
  predicted_saving_kw: z.number(),
  /** What was predicted for the judged actions alone. */
  judged_predicted_saving_kw: z.number(),
  realized_saving_kw: z.number(),
});
export type Attribution = z.infer<typeof Attribution>;

/** A saving that was measured against a baseline, with its uncertainty. */
export const MeasuredSaving = z.object({
  saving_kwh: z.number(),
  saving_pct: z.number(),
  low_pct: z.number(),
  high_pct: z.number(),
  /** The interval's probability, e.g. 0.95. */
  confidence: z.number(),
  /** How the baseline was found, in words. */
  method: z.string(),
});
export type MeasuredSaving = z.infer<typeof MeasuredSaving>;

const Savings = z.object({
  /** null: nothing on this site measures it, or not over this period. */
  measured: MeasuredSaving.nullable(),
  predicted_saving_kw: z.number(),
  realized_saving_kw: z.number(),
  /** Largest first. */
  attribution: z.array(Attribution),
});

const TimelineEntry = z.object({
  ts: Timestamp,
  /** 0 … 100. */
  importance: z.int(),
  type: z.string(),
  rack_id: z.string().nullable(),
  text: z.string(),
});
export type TimelineEntry = z.infer<typeof TimelineEntry>;

/** `GET /report/judges`. */
export const Report = z.object({
  generated_at: Timestamp,
  period: z.object({ from: Timestamp, to: Timestamp, step_s: z.number(), live: z.boolean() }),
  /** Now, whatever the period. */
  overview: Overview.omit({ rack_list: true }),
  /** Now: the racks with the highest D. */
  deviations: z.array(
    z.object({ rack_id: z.string(), d: z.number(), share_of_tau_fast: z.number(), state: z.string() }),
  ),
  /** Now. */
  persistent: z.array(z.string()),
  state: State,
  deviation_history: DeviationHistory,
  energy: Energy,
  mms: Mms,
  /** null where no incidents are kept. */
  incidents: Incidents.nullable(),
  actions: Actions,
  savings: Savings,
  timeline: z.object({
    /** Everything that was merged; `entries` are the most important of it, newest first among equals, few alike. */
    total: z.int(),
    entries: z.array(TimelineEntry),
  }),
  scores: z.array(Score),
  anomalies: z.array(EventBody),
});
export type Report = z.infer<typeof Report>;
