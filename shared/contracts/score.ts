import * as z from "zod";
import { FEATURES } from "../ims/features.ts";
import { Timestamp, Version } from "./envelope.ts";
import { ModelId } from "./model.ts";
import { RackId } from "./rack.ts";

/** Where D lies: `nominal` < tau_fast ≤ `fast` < tau_persist ≤ `persist`. */
export const ScoreLevel = z.enum(["nominal", "fast", "persist"]);
export type ScoreLevel = z.infer<typeof ScoreLevel>;

/** A sensor whose trouble lasts: which, and what is wrong with it (docs/detection.md). */
export const SensorAlarm = z.object({
  field: z.string().max(32),
  problem: z.enum(["range", "stuck", "spike", "drift", "erratic", "dropout"]),
});
export type SensorAlarm = z.infer<typeof SensorAlarm>;

/** Share of D² per feature; the shares sum to 1 (all 0 where D is 0). */
export const Contributions = z.partialRecord(z.enum(FEATURES), z.number());
export type Contributions = z.infer<typeof Contributions>;

/** The IMS verdict on one telemetry sample, keyed by rack and the sample's seq. */
export const Score = z.object({
  v: Version,
  ts: Timestamp,
  rack_id: RackId,
  seq: z.int().min(0),
  d: z.number().min(0),
  tau_fast: z.number().positive(),
  tau_persist: z.number().positive(),
  cluster: z.int().min(0),
  contributions: Contributions,
  missing: z.array(z.enum(FEATURES)).default([]),
  model_id: ModelId,
  state: ScoreLevel,
  scored_by: z.enum(["agent", "aggregator"]),
  /**
   * Several quantities left what was learnt of them, which no single sensor explains: their `relations` do not hold
   * (the equipment is not what it was), or they moved together faster than ever (`change`). Absent: neither.
   */
  departure: z.enum(["relations", "change"]).optional(),
  /** Sensors of the rack that want a technician. Absent: none. */
  sensors: z.array(SensorAlarm).max(64).optional(),
  /** The agent's guardrail protects the rack: in closed loop it refuses setpoints of others. Absent: it does not. */
  guarded: z.literal(true).optional(),
});
export type Score = z.infer<typeof Score>;

/** MMS verdict per rack. `transient` is the resting state, as in the described system. */
export const MmsState = z.enum(["transient", "persistent"]);
export type MmsState = z.infer<typeof MmsState>;

/** The phases of the likelihood-ratio mode of MMS. */
export const MMS_PHASES = ["nominal", "transient", "persistent", "recovering"] as const;
