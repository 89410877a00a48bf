import * as z from "zod";
import { Timestamp, Version } from "./envelope.ts";
import { RackId } from "./rack.ts";

/** `advisory`: decide and log, drive nothing. `closed_loop`: drive the actuators. */
export const Mode = z.enum(["advisory", "closed_loop"]);
export type Mode = z.infer<typeof Mode>;

/** What can be driven on one rack. Percent of full speed, share of traffic, share of low-priority work, ms, kW. */
export const RACK_TARGETS = [
  "fan_rpm_pct",
  "pump_rpm_pct",
  "routing_weight_pct",
  "admission_pct",
  "batch_window_ms",
  "power_cap_kw",
] as const;
/** `supply_c` is the site's cooling-air setpoint. */
export const Target = z.enum([...RACK_TARGETS, "supply_c"]);
export type Target = z.infer<typeof Target>;
export const RackTarget = z.enum(RACK_TARGETS);
export type RackTarget = z.infer<typeof RackTarget>;

const ActionKind = z.enum([
  "pre_cool",
  "admission",
  "routing",
  "power_cap",
  "release",
  "optimize",
  "manual",
  "rollback",
]);

/** One decision, whether it drove something or not. */
export const Action = z.object({
  v: Version,
  id: z.string().min(1).max(64),
  ts: Timestamp,
  /** null for a site-wide target. */
  rack_id: RackId.nullable(),
  source: z.enum(["guardrail", "optimizer", "operator"]),
  kind: ActionKind,
  target: Target,
  /** null: the device's own automatic control. */
  from: z.number().nullable(),
  to: z.number().nullable(),
  mode: Mode,
  outcome: z.enum(["applied", "advised", "refused", "sent"]),
  reason: z.string(),
  /** The numbers that the decision rests on. */
  inputs: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  predicted_saving_kw: z.number().optional(),
  realized_saving_kw: z.number().optional(),
});
export type Action = z.infer<typeof Action>;
