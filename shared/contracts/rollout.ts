import * as z from "zod";
import { Timestamp } from "./envelope.ts";
import { ModelId, Sha256 } from "./model.ts";
import { RackId } from "./rack.ts";
import { Rejection } from "./rejection.ts";

/** A check that every stage of a rollout must pass. */
export const RolloutGate = z.object({
  name: z.enum(["alarm_rate", "d_shift", "agent_errors"]),
  /** What was measured, and the most that would have passed; null while there is too little to say. */
  value: z.number().nullable(),
  limit: z.number(),
  ok: z.boolean().nullable(),
  /** In words, with the figures behind it. */
  detail: z.string(),
});
export type RolloutGate = z.infer<typeof RolloutGate>;

export const RolloutWave = z.object({
  racks: z.array(RackId),
  state: z.enum(["waiting", "offered", "soaking", "passed", "failed"]),
  started_at: Timestamp.nullable(),
  /** When the gates decide, at the earliest. */
  soaks_until: Timestamp.nullable(),
});
export type RolloutWave = z.infer<typeof RolloutWave>;

/** A model's way to the racks: the first wave is the canary. */
export const RolloutView = z.object({
  id: z.string(),
  model_id: ModelId,
  sha256: Sha256,
  previous_id: ModelId.nullable(),
  gated: z.boolean(),
  state: z.enum(["running", "completed", "rolled_back", "superseded"]),
  by: z.string(),
  reason: z.string(),
  started_at: Timestamp,
  ended_at: Timestamp.nullable(),
  waves: z.array(RolloutWave),
  racks: z.object({
    total: z.int(),
    accepted: z.array(RackId),
    refused: z.array(z.object({ rack_id: RackId, errors: z.array(Rejection) })),
    /** Online and not answered yet. */
    waiting: z.array(RackId),
    offline: z.array(RackId),
  }),
  gates: z.array(RolloutGate),
  /** What happened, in sentences, oldest first. */
  story: z.array(z.object({ ts: Timestamp, text: z.string() })),
});
export type RolloutView = z.infer<typeof RolloutView>;
