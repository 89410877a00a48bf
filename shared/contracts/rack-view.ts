import * as z from "zod";
import { Action, Mode, RackTarget } from "./action.ts";
import { Limits } from "./config-parts.ts";
import { Timestamp } from "./envelope.ts";
import { Incident, MaintenanceWindow } from "./incident.ts";
import { Condition, Figure, RackSummary } from "./overview.ts";
import { SensorAlarm } from "./score.ts";

const Actuator = z.object({
  target: RackTarget,
  setpoint: Figure.describe("null: the device's own control"),
  measured: Figure.describe("what the device reports; null where it is not measured"),
  changed_at: Timestamp.nullable(),
  min: z.number(),
  max: z.number(),
  quarantined: z
    .object({ since: Timestamp, reason: z.string() })
    .nullable()
    .describe("it did not do what it was asked, and is left alone"),
});

/** Everything about one rack now. */
export const RackDetail = z.object({
  rack: RackSummary,
  limits: Limits,
  agent: z
    .object({ version: z.string(), driver: z.string(), mode: Mode, since: Timestamp })
    .nullable()
    .describe("null: none has reported since the aggregator started"),
  interval_s: Figure,
  quality: z.record(z.string(), z.enum(["good", "stale", "missing", "suspect"])),
  sensors: z.array(SensorAlarm).describe("that want a technician"),
  departure: z.enum(["relations", "change"]).nullable(),
  guarded: z
    .boolean()
    .describe("the agent's guardrail protects the rack; in closed loop it refuses setpoints of others"),
  cluster: z.int().nullable().describe("of the model, nearest to the last sample"),
  model: z
    .object({
      id: z.string(),
      tau_fast: z.number(),
      tau_persist: z.number(),
      bands: z
        .record(z.string(), z.tuple([z.number(), z.number()]))
        .describe("per feature, mean ± 2 standard deviations of the model's nominal training data"),
    })
    .nullable(),
  actuators: z.array(Actuator),
  maintenance: z.array(MaintenanceWindow).describe("windows that cover the rack now"),
});
export type RackDetail = z.infer<typeof RackDetail>;

/** What a rack's course is made of. */
export const SERIES_FIELDS = [
  "inlet_c",
  "outlet_c",
  "pdu_kw",
  "tokens_ps",
  "latency_p95_ms",
  "queue_depth",
  "fan_rpm_pct",
  "pump_rpm_pct",
  "d",
] as const;

/** One rack's course in columns of equal length, oldest first. */
export const RackSeries = z.object({
  rack_id: z.string(),
  from: Timestamp,
  to: Timestamp,
  step_s: z.number().describe("0: single samples; else means over so many seconds"),
  ts_ms: z.array(z.number()),
  values: z.record(z.enum(SERIES_FIELDS), z.array(Figure)),
  tau_fast: z.array(Figure),
  tau_persist: z.array(Figure),
  state: z.array(Condition),
});
export type RackSeries = z.infer<typeof RackSeries>;

/** What befell a rack and what was done about it, newest first. */
export const RackHistory = z.object({ incidents: z.array(Incident), actions: z.array(Action) });
export type RackHistory = z.infer<typeof RackHistory>;
