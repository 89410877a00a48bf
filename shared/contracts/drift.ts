import * as z from "zod";
import { Timestamp } from "./envelope.ts";
import { ModelId, Sha256 } from "./model.ts";

/** `unknown`: too little operation to compare. */
export const DriftLevel = z.enum(["none", "moderate", "major", "unknown"]);
export type DriftLevel = z.infer<typeof DriftLevel>;

/** One feature, or `d_ratio`, which is D / tau_fast. */
const DriftFinding = z.object({
  quantity: z.string(),
  psi: z.number().describe("population stability index; 0.1 moderate, 0.25 major by default"),
  by_chance: z.number().describe("an index below this is what samples of this size show by chance"),
  level: DriftLevel,
  mean_before: z.number(),
  mean_now: z.number(),
});
export type DriftFinding = z.infer<typeof DriftFinding>;

const DriftScope = z.object({
  scope: z.enum(["site", "row", "rack"]),
  /** `site`, `C`, `R-C-07`. */
  name: z.string(),
  level: DriftLevel,
  against: z
    .enum(["model", "baseline"])
    .describe("the model's training rows, or the operation kept as baseline"),
  hours: z.int().describe("hours of the day that both sides have"),
  rows: z.int(),
  /** Of the site all of them, else those that drift; the largest index first. */
  findings: z.array(DriftFinding),
});
export type DriftScope = z.infer<typeof DriftScope>;

/** What one check of the site came to. */
export const DriftReport = z.object({
  checked_at: Timestamp,
  from: Timestamp,
  to: Timestamp,
  model_id: ModelId,
  sha256: Sha256,
  level: DriftLevel,
  /** Checks in a row that found the site's operation in major drift. */
  major_in_a_row: z.int(),
  /** In sentences. */
  summary: z.array(z.string()),
  /** Of the window's rack-time: left out as incident, maintenance or commanded. */
  excluded_share: z.number(),
  /** Of the rest: outside of the nominal filter. */
  outside_share: z.number(),
  site: DriftScope,
  rows: z.array(DriftScope),
  racks: z.array(DriftScope),
});
export type DriftReport = z.infer<typeof DriftReport>;

/** How a model did on operation that no training saw. */
export const HeldBackFigures = z.object({
  false_alarms: z.int(),
  rack_days: z.number(),
  false_alarms_per_rack_day: z.number(),
  /** Of the rows: at or above tau_fast and tau_persist. */
  fast_share: z.number(),
  persist_share: z.number(),
  /** Physical anomalies on top of what the model takes for nominal: share at or above tau_persist. */
  anomalies_found: z.number(),
  /** Of the confirmed incidents' racks. */
  incidents: z.object({ found: z.int(), of: z.int() }),
});
export type HeldBackFigures = z.infer<typeof HeldBackFigures>;

const Challenger = z.object({
  model_id: ModelId,
  sha256: Sha256,
  /** `site`, or the row that it is for. */
  scope: z.string(),
  trained_from: Timestamp,
  trained_to: Timestamp,
  rows: z.int(),
  figures: HeldBackFigures,
  /** Of the model that it has to beat. */
  champion_id: ModelId,
  champion: HeldBackFigures,
  offered: z.boolean(),
  /** Why it is offered or not, with the figures. */
  reason: z.string(),
});
export type Challenger = z.infer<typeof Challenger>;

/** What one retraining came to. */
export const RetrainingReport = z.object({
  at: Timestamp,
  trigger: z.enum(["schedule", "drift"]),
  held_back: z.object({ from: Timestamp, to: Timestamp }),
  excluded_share: z.number(),
  site: Challenger,
  /**
   * The site's model with what incidents that nobody judged had left out, where most racks had some and it beat the
   * other: for people to promote, never by itself.
   */
  unjudged: Challenger.extend({
    racks: z.int().describe("racks that had such incidents"),
    share: z.number().describe("of the time that they had left out: learnt all the same"),
  })
    .nullable()
    .default(null),
  /** Models of single rows that beat the site's on their row: offered as pins, never applied by themselves. */
  rows: z.array(Challenger),
  promoted: z.boolean(),
  summary: z.array(z.string()),
});
export type RetrainingReport = z.infer<typeof RetrainingReport>;
