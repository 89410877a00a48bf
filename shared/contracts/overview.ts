import * as z from "zod";
import { Mode } from "./action.ts";
import { Limits } from "./config-parts.ts";
import { Timestamp } from "./envelope.ts";
import { Incident } from "./incident.ts";
import { MMS_PHASES, MmsState, ScoreLevel } from "./score.ts";

/** How a rack is shown: MMS first, then where D lies. */
export const Condition = z.enum(["nominal", "transient", "persistent", "unknown"]);
export type Condition = z.infer<typeof Condition>;
/** A feature's share of D². */
export const Share = z.object({ feature: z.string(), share: z.number() });
/** A figure that may not be known. */
export const Figure = z.number().nullable();

export const Overrides = z
  .object({ rows: z.record(z.string(), Mode), racks: z.record(z.string(), Mode) })
  .describe("modes of rows and racks that differ from the site's; left out while there are none");

export const RackSummary = z.object({
  rack_id: z.string(),
  row: z.string(),
  position: z.int(),
  online: z.boolean(),
  agent_online: z.boolean(),
  mode: Mode.describe("that holds for the rack: the kill switch is advisory"),
  agent_model_id: z.string().nullable(),
  ts: Timestamp.nullable(),
  state: Condition,
  d: Figure,
  tau_fast: Figure,
  tau_persist: Figure,
  level: ScoreLevel.nullable(),
  scored_by: z.enum(["agent", "aggregator"]).nullable(),
  mms_state: MmsState.nullable(),
  /** Of the likelihood-ratio mode; null in the other. */
  mms_phase: z.enum(MMS_PHASES).nullable(),
  mms_ema: Figure,
  inlet_c: Figure,
  outlet_c: Figure,
  delta_t: Figure,
  pdu_kw: Figure,
  tokens_ps: Figure,
  latency_p95_ms: Figure,
  queue_depth: Figure,
  fan_rpm_pct: Figure,
  pump_rpm_pct: Figure,
  contributions: z.array(Share),
});
export type RackSummary = z.infer<typeof RackSummary>;

/** The site's figures and every rack's state. */
export const Overview = z.object({
  ts: Timestamp,
  site: z.string(),
  time_zone: z.string().describe("IANA name: in which people on the site read the clock"),
  mode: Mode,
  kill_switch: z.boolean(),
  overrides: Overrides,
  model_id: z.string().nullable(),
  racks: z.object({
    total: z.int(),
    online: z.int(),
    nominal: z.int(),
    transient: z.int(),
    persistent: z.int(),
    unknown: z.int(),
  }),
  worst_rack: z
    .object({
      rack_id: z.string(),
      d: z.number(),
      tau_fast: z.number(),
      tau_persist: z.number(),
      state: Condition,
      contributions: z.array(Share),
    })
    .nullable(),
  kpis: z.object({
    wh_per_prompt: Figure,
    baseline_wh_per_prompt: z.number(),
    j_per_token: Figure,
    latency_p95_ms: Figure,
    latency_p95_max_ms: Figure,
    inlet_compliance_pct: Figure,
    energy_saved_pct: Figure.describe("of the last 24 h, as /savings measures it"),
    wh_below_baseline_pct: Figure.describe("energy per prompt against baseline_wh_per_prompt"),
    pdu_kw: z.number(),
    tokens_ps: z.number(),
  }),
  actions: z.int(),
  /** Open and acknowledged ones, oldest first. */
  incidents: z.array(
    Incident.pick({
      id: true,
      scope: true,
      row: true,
      status: true,
      severity: true,
      title: true,
      opened_at: true,
      maintenance: true,
    }).extend({ racks: z.array(z.string()) }),
  ),
  limits: Limits,
  rack_list: z.array(RackSummary),
});
export type Overview = z.infer<typeof Overview>;
