import * as z from "zod";
import { Timestamp, Version } from "./envelope.ts";
import { RackId } from "./rack.ts";

export const Cause = z.enum([
  "thermal_event",
  "high_load",
  "under_utilized",
  "overcooled",
  "fan_fault",
  "pump_fault",
  "sensor_fault",
]);
export type Cause = z.infer<typeof Cause>;

/** Of a thermal event: the cooling side's part that failed. Of a sensor fault: how the sensor fails. */
export const SubCause = z.enum(["crah_failure", "tile_blockage", "stuck", "drift", "dropout", "spike"]);
export type SubCause = z.infer<typeof SubCause>;

/** Why a rack deviates, with what speaks for it. */
export const CauseVerdict = z.object({
  cause: Cause,
  sub_cause: SubCause.nullable(),
  /** Probability of `cause`; those of all `causes` sum to 1. */
  confidence: z.number().min(0).max(1),
  causes: z.array(z.object({ cause: Cause, confidence: z.number().min(0).max(1) })),
  /** Strongest first; `weight` is the log-likelihood ratio over the next best explanation, `against`. */
  evidence: z.array(
    z.object({
      name: z.string(),
      value: z.number().nullable(),
      unit: z.enum(["std", "share"]),
      weight: z.number(),
      against: z.string(),
    }),
  ),
});
export type CauseVerdict = z.infer<typeof CauseVerdict>;

export const Severity = z.enum(["info", "warning", "critical"]);
export type Severity = z.infer<typeof Severity>;

export const IncidentStatus = z.enum(["open", "acknowledged", "closed"]);
export type IncidentStatus = z.infer<typeof IncidentStatus>;

/** What happened to an incident, oldest first. */
export const IncidentNote = z.object({
  ts: Timestamp,
  kind: z.enum([
    "opened",
    "rack_joined",
    "rack_recovered",
    "widened",
    "merged",
    "cause",
    "severity",
    "maintenance_over",
    "acknowledged",
    "annotated",
    "confirmed",
    "rejected",
    "closed",
    "reopened",
  ]),
  /** `skadi`, or who said so. */
  by: z.string(),
  text: z.string(),
});
export type IncidentNote = z.infer<typeof IncidentNote>;

/** A rack's part in an incident. */
export const IncidentRack = z.object({
  rack_id: RackId,
  since: Timestamp,
  /** When its alarm last ended; null while it stands. */
  recovered_at: Timestamp.nullable(),
  /** Sensors that were named, such as `inlet_c: drift`. */
  sensors: z.array(z.string()),
  verdict: CauseVerdict.nullable(),
  /** While the rack was persistent: number of scores, mean of ln D. */
  scores: z.object({ count: z.int().min(0), log_d_mean: z.number() }),
});
export type IncidentRack = z.infer<typeof IncidentRack>;

/** Something that is wrong with a rack, a row or the site, from its first alarm to the end of the last. */
export const Incident = z.object({
  v: Version,
  id: z.string().min(1).max(64),
  scope: z.enum(["rack", "row", "site"]),
  /** null of a site's incident. */
  row: z.string().nullable(),
  status: IncidentStatus,
  severity: Severity,
  title: z.string(),
  opened_at: Timestamp,
  updated_at: Timestamp,
  closed_at: Timestamp.nullable(),
  closed_by: z.string().nullable(),
  acknowledged_by: z.string().nullable(),
  /** All of its racks are under maintenance: nobody is notified. */
  maintenance: z.boolean(),
  /** What people made of it: the score models learn from it. */
  judged: z.enum(["confirmed", "rejected"]).nullable(),
  reopened: z.int().min(0),
  /** The wider incident that this one turned out to be a part of. */
  merged_into: z.string().nullable(),
  verdict: CauseVerdict.nullable(),
  racks: z.array(IncidentRack),
  timeline: z.array(IncidentNote),
});
export type Incident = z.infer<typeof Incident>;

/** Work on a rack, a row or (neither given) the site: what deviates meanwhile is marked, and nobody is woken. */
export const MaintenanceWindow = z.object({
  id: z.string(),
  rack_id: RackId.nullable(),
  row: z.string().nullable(),
  from: Timestamp,
  to: Timestamp,
  reason: z.string(),
});
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;
