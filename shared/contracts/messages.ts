import * as z from "zod";
import { Mode, RackTarget } from "./action.ts";
import { Timestamp, Version } from "./envelope.ts";
import { ShadowReport } from "./manifest.ts";
import { ModelId } from "./model.ts";
import { RackId } from "./rack.ts";
import { Rejection } from "./rejection.ts";
import { MmsState } from "./score.ts";

/** Retained per rack; the broker publishes the `offline` form as the agent's last will. */
export const Status = z.object({
  v: Version,
  ts: Timestamp,
  rack_id: RackId,
  state: z.enum(["online", "offline"]),
  agent_version: z.string(),
  driver: z.string(),
  mode: Mode,
  model_id: ModelId.nullable(),
  model_sha256: z.string().nullable().optional(),
  /** Of the last manifest that the agent accepted; it is `stale` once that has expired. */
  manifest: z.object({ counter: z.int(), stale: z.boolean() }).nullable().optional(),
});
export type Status = z.infer<typeof Status>;

/** The answer to a telemetry payload that was refused, a model that was offered, or a command. */
export const Ack = z.object({
  v: Version,
  ts: Timestamp,
  rack_id: z.string(),
  of: z.enum(["telemetry", "score", "action", "status", "model", "command"]),
  ok: z.boolean(),
  /** What is acknowledged: a model id or a command id. */
  ref: z.string().optional(),
  errors: z.array(Rejection).default([]),
  /** of a model: the manifest's counter, and what the rack's last hour would have scored. */
  counter: z.int().optional(),
  shadow: ShadowReport.optional(),
});
export type Ack = z.infer<typeof Ack>;

/** What the aggregator may ask of one agent. A setpoint of null hands the device back to its own control. */
export const CommandBody = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("set_mode"), mode: Mode, kill_switch: z.boolean() }),
  z.object({ kind: z.literal("mms_state"), state: MmsState }),
  z.object({
    kind: z.literal("setpoint"),
    target: RackTarget,
    value: z.number().nullable(),
    action_id: z.string(),
    source: z.enum(["optimizer", "operator"]),
    reason: z.string(),
    /** An operator has approved this very change: it may be driven once in advisory too. */
    approved: z.boolean().optional(),
  }),
]);
export type CommandBody = z.infer<typeof CommandBody>;

/** A command is signed, addressed, ordered by `counter` and short-lived, so that it cannot be forged or replayed. */
export const Command = z.object({
  v: Version,
  id: z.string(),
  rack_id: RackId,
  counter: z.int().positive(),
  issued_at: Timestamp,
  expires_at: Timestamp,
  body: CommandBody,
  signature: z.string().optional(),
});
export type Command = z.infer<typeof Command>;

/** Retained by a connected simulator: what it can be asked to play. Last will: `online` false. */
export const SimulatorStatus = z.object({
  v: Version,
  ts: Timestamp,
  online: z.boolean(),
  racks: z.int().min(0),
  scenarios: z.array(z.object({ name: z.string(), aliases: z.array(z.string()), description: z.string() })),
  running: z.array(z.object({ name: z.string(), started_at: Timestamp, ends_at: Timestamp })),
});
export type SimulatorStatus = z.infer<typeof SimulatorStatus>;

/** What the aggregator asks of a connected simulator. */
export const SimulatorCommand = z.discriminatedUnion("kind", [
  z.object({ v: Version, kind: z.literal("start"), scenario: z.string(), duration_s: z.number().positive() }),
  z.object({ v: Version, kind: z.literal("stop"), scenario: z.string() }),
  /** Setpoint of the simulated site's supply air. It holds for a while only and must be renewed; null ends it. */
  z.object({ v: Version, kind: z.literal("supply"), supply_c: z.number().min(10).max(35).nullable() }),
]);
export type SimulatorCommand = z.infer<typeof SimulatorCommand>;
