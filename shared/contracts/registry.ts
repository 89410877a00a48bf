import * as z from "zod";
import { Timestamp } from "./envelope.ts";
import { ModelStage } from "./manifest.ts";
import { ModelFile, ModelId, ModelKind, Sha256 } from "./model.ts";
import { RackId } from "./rack.ts";

/** Where a model came from, so that it can be made again. */
export const Lineage = z.object({
  source: z.enum(["trained", "retrained", "pushed", "found"]),
  /** File name, or `stored telemetry`. */
  data: z.string(),
  data_sha256: Sha256.nullable(),
  /** The data's first and last instant. */
  from: Timestamp.nullable(),
  to: Timestamp.nullable(),
  rows: z.int().nullable(),
  /** Version of Skadi that trained it. */
  code_version: z.string().nullable(),
  parameters: z.record(z.string(), z.unknown()),
  /** File name of the training report in the registry's folder. */
  report: z.string().nullable(),
  /** The model that was in force and that a retrained one is to replace. */
  parent_id: ModelId.nullable(),
});
export type Lineage = z.infer<typeof Lineage>;

export const StageChange = z.object({
  ts: Timestamp,
  stage: ModelStage,
  /** `operator`, `schedule`, `rollout` … */
  by: z.string(),
  reason: z.string(),
});
export type StageChange = z.infer<typeof StageChange>;

export const RegisteredModel = z.object({
  model_id: ModelId,
  sha256: Sha256,
  kind: ModelKind,
  created_at: Timestamp,
  stage: ModelStage,
  lineage: Lineage,
  /** Oldest first. */
  history: z.array(StageChange),
});
export type RegisteredModel = z.infer<typeof RegisteredModel>;

/** A rack (`R-C-07`) or a row (`C`) that keeps one model whatever the site runs; a rack's pin outranks its row's. */
export const Pin = z.object({
  scope: z.string(),
  model_id: ModelId,
  sha256: Sha256,
  by: z.string(),
  ts: Timestamp,
});
export type Pin = z.infer<typeof Pin>;

/** A model with what its file says, and who runs it. */
export const ModelDetail = RegisteredModel.extend({
  /** null: the file is gone, or was altered. */
  content: z
    .object({
      features: ModelFile.shape.features,
      tau_fast: ModelFile.shape.tau_fast,
      tau_persist: ModelFile.shape.tau_persist,
      threshold: ModelFile.shape.threshold,
      training: ModelFile.shape.training,
    })
    .nullable(),
  /** Racks that are online and say that they run it. */
  racks: z.array(RackId),
  pins: z.array(Pin),
});
export type ModelDetail = z.infer<typeof ModelDetail>;
