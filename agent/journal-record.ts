import * as z from "zod";
import { Mode, RACK_TARGETS, RackTarget } from "../shared/contracts/action.ts";
import { AgentConfig } from "../shared/contracts/agent-config.ts";
import { Timestamp, Version } from "../shared/contracts/envelope.ts";
import { MmsState } from "../shared/contracts/score.ts";
import { type GuardContext, type GuardInput, type GuardState, SEVERITIES } from "./guardrail/guardrail.ts";

const Known = z.number().nullable();
const Speed = z.enum(["fan_rpm_pct", "pump_rpm_pct"]);

const Context = z.object({
  config: AgentConfig.shape.guardrail,
  limits: AgentConfig.shape.limits,
  actuators: AgentConfig.shape.actuators,
  // What decisions of earlier versions took for granted.
  driven: z.array(RackTarget).readonly().default(RACK_TARGETS),
  without_own_control: z.array(RackTarget).readonly().default([]),
}) satisfies z.ZodType<GuardContext>;

const State = z.object({
  blind_ticks: z.int(),
  faulty_ticks: z.int(),
  speeds_seen: z.array(Speed).readonly(),
  over_since_ms: Known,
  driving: z.boolean(),
  deviating_ticks: z.int(),
  alarmed_at_ms: Known,
  last_release_ms: Known,
  hold_ms: z.number(),
  last_action_ms: z.partialRecord(RackTarget, z.number()),
}) satisfies z.ZodType<GuardState>;

const Input = z.object({
  now_ms: z.number(),
  closed_loop: z.boolean(),
  inlet_c: Known,
  hottest_inlet_c: Known,
  heat: z.object({ inlet_z: Known, outlet_z: Known }),
  d: Known,
  tau_fast: Known,
  mms_state: MmsState,
  departure: z.enum(["relations", "change"]).nullable(),
  setpoints: z.record(RackTarget, Known),
  fan_rpm_pct: Known,
  pump_rpm_pct: Known,
  pdu_kw: Known,
  owned: z.array(RackTarget).readonly(),
  failing: z.array(RackTarget).readonly().default([]),
}) satisfies z.ZodType<GuardInput>;

const Intent = z.object({
  kind: z.enum(["pre_cool", "admission", "routing", "power_cap", "release"]),
  target: RackTarget,
  value: Known,
  emergency: z.boolean(),
  severity: z.enum(SEVERITIES),
  reason: z.string(),
});

/** What became of one intent. */
const IntentOutcome = z.object({
  /** Under this id the action was published, if it was. */
  action_id: z.string(),
  mode: Mode,
  outcome: z.enum(["applied", "advised", "refused"]),
  from: Known,
  /** The setpoint as read back; absent where nothing was driven. */
  now: Known.optional(),
  /** false: the same advice was published a short time ago. */
  published: z.boolean(),
  problem: z.string().optional(),
});
export type IntentOutcome = z.infer<typeof IntentOutcome>;

/** One guard tick that wanted something: all it rests on, so that the pure guard can decide it again. */
export const Decision = z.object({
  v: Version,
  id: z.string(),
  ts: Timestamp,
  rack_id: z.string(),
  agent_version: z.string(),
  model_id: z.string().nullable(),
  severity: z.enum(SEVERITIES),
  context: Context,
  state: State,
  input: Input,
  /** The telemetry that the input was made of; null: none came in. */
  sample: z.record(z.string(), z.unknown()).nullable(),
  intents: z.array(Intent),
  /** In the order of the intents. */
  outcomes: z.array(IntentOutcome),
});
export type Decision = z.infer<typeof Decision>;
