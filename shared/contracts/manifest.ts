import * as z from "zod";
import { Timestamp, Version } from "./envelope.ts";
import { ModelId, Sha256 } from "./model.ts";
import { RackId } from "./rack.ts";

/** Bounds what an agent collects for one model before its hash is known to be right. */
export const CHUNKS_MAX = 256;

/** One model as a manifest names it. Its hash is signed with the manifest, so the payload needs no signature. */
export const Release = z.object({
  model_id: ModelId,
  /** The model file's own hash, over its canonical content. */
  sha256: Sha256,
  /** Of the model file as JSON in UTF-8. */
  bytes: z.int().positive(),
  /** Retained messages that the payload is cut into (`modelChunkTopic`, from 0 on); 0: it is inline in `models`. */
  chunks: z.int().min(0).max(CHUNKS_MAX),
});
export type Release = z.infer<typeof Release>;

/** Why some racks run another model than the rest of the site. */
export const AssignmentReason = z.enum(["canary", "wave", "pin", "row"]);
export type AssignmentReason = z.infer<typeof AssignmentReason>;

export const Assignment = z.object({
  release: Release,
  reason: AssignmentReason,
  racks: z.array(RackId).min(1),
});
export type Assignment = z.infer<typeof Assignment>;

/**
 * Retained on the site's model topic: which model every rack should run. Signed by a site key, ordered by `counter`
 * (an older one cannot come back) and short-lived (a broker that withholds newer ones is found out).
 */
export const ModelManifest = z.object({
  v: Version,
  kind: z.literal("ims"),
  counter: z.int().positive(),
  issued_at: Timestamp,
  expires_at: Timestamp,
  /** Of the key that signed; see `keyId`. */
  key_id: z.string(),
  /** Of the site's model before `release`. */
  previous_id: ModelId.nullable(),
  /** For every rack without an assignment. */
  release: Release,
  /** A rack is in one of them at most. */
  assignments: z.array(Assignment).default([]),
  /** ModelFiles that are small enough to travel inline; left unparsed because each hash covers its content as written. */
  models: z.array(z.unknown()).default([]),
  signature: z.string().optional(),
});
export type ModelManifest = z.infer<typeof ModelManifest>;

/** So many rotations may pass while an agent is away. */
export const KEY_RINGS_KEPT = 16;

/** Retained: the keys that agents trust from now on, signed by one that they trusted before. */
export const KeyRing = z.object({
  v: Version,
  counter: z.int().positive(),
  issued_at: Timestamp,
  key_id: z.string(),
  keys: z
    .array(z.object({ key_id: z.string(), public_key_pem: z.string().max(1000) }))
    .min(1)
    .max(8),
  /**
   * The rings before this one, oldest first, each with its own signature and without `earlier`: the way here for who
   * was away meanwhile. Not covered by this ring's signature, as it needs none.
   */
  earlier: z.array(z.unknown()).max(KEY_RINGS_KEPT).optional(),
  signature: z.string().optional(),
});
export type KeyRing = z.infer<typeof KeyRing>;

/** What an offered model makes of the rack's own last hour, beside the model in use. Shares and means, no units. */
export const ShadowReport = z.object({
  samples: z.int().min(0),
  alarm_share_before: z.number().nullable(),
  alarm_share_after: z.number().nullable(),
  /** D / tau_fast, so that models with other scales compare. */
  mean_ratio_before: z.number().nullable(),
  mean_ratio_after: z.number().nullable(),
});
export type ShadowReport = z.infer<typeof ShadowReport>;

/** Where a model stands in the registry. */
export const ModelStage = z.enum(["candidate", "canary", "active", "retired"]);
export type ModelStage = z.infer<typeof ModelStage>;
