import { z } from "zod";
import { Mode, RackTarget } from "./action.ts";
import { Timestamp, Version } from "./envelope.ts";
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
  model_id: z.string().nullable(),
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

/** Retained on the site's model topic: the model that every agent of the site should run. */
export const ModelManifest = z.object({
  v: Version,
  kind: z.literal("ims"),
  counter: z.int().positive(),
  issued_at: Timestamp,
  previous_id: z.string().nullable(),
  /** A ModelFile; left unparsed here because its hash covers it exactly as written (see `validateModel`). */
  model: z.unknown(),
  signature: z.string().optional(),
});
export type ModelManifest = z.infer<typeof ModelManifest>;

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
