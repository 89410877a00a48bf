import { z } from "zod";
import { FEATURES } from "../ims/features.ts";
import { Timestamp } from "./envelope.ts";

const FEATURE_COUNT = FEATURES.length;
const Vector = z.array(z.number()).length(FEATURE_COUNT);

/** A score population as MMS needs it: moments of D and of ln D (for a log-normal likelihood). */
const ScoreDistribution = z.object({
  count: z.int().min(0),
  mean: z.number(),
  std: z.number().min(0),
  log_mean: z.number(),
  log_std: z.number().min(0),
});
export type ScoreDistribution = z.infer<typeof ScoreDistribution>;

/** A known sample with the D that this model must give it: proves that a reader computes as the trainer did. */
const GoldenSample = z.object({ x: Vector, d: z.number().min(0), cluster: z.int().min(0) });
export type GoldenSample = z.infer<typeof GoldenSample>;

/** IMS model file, version 1: k-means clusters of nominal operation in standardised units. */
export const ModelFile = z
  .object({
    v: z.literal(1),
    kind: z.literal("kmeans"),
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1–64 of letters, digits, . _ -"),
    created_at: Timestamp,
    features: z.array(z.string()).min(1),
    scaler: z.object({ mean: Vector, scale: z.array(z.number().positive()).length(FEATURE_COUNT) }),
    centers: z.array(Vector).min(1).max(4096),
    tau_fast: z.number().positive(),
    tau_persist: z.number().positive(),
    training: z.object({
      data: z.string(),
      rows: z.int().positive(),
      nominal_rows: z.int().positive(),
      clusters: z.int().positive(),
      seed: z.int(),
      iterations: z.int().min(0),
      mean_d: z.number().min(0),
      std_d: z.number().min(0),
      mean_d2: z.number().min(0),
      cluster_sizes: z.array(z.int().min(0)),
    }),
    distributions: z.object({ nominal: ScoreDistribution, anomalous: ScoreDistribution.nullable() }),
    golden: z.array(GoldenSample).min(1).max(256),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits"),
  })
  .refine((m) => m.tau_persist > m.tau_fast, {
    path: ["tau_persist"],
    error: "a threshold above tau_fast",
  });
export type ModelFile = z.infer<typeof ModelFile>;
