import * as z from "zod";
import { ModelId, ModelKind, Sha256 } from "./model.ts";

/** What of two models, `a` and `b`, is the same thing. */
const Both = z.object({ a: z.number(), b: z.number() });

const Side = z.object({ model_id: ModelId, sha256: Sha256, kind: ModelKind, clusters: z.int() });

const Centre = z.object({
  /** Number of the cluster in its model. */
  cluster: z.int(),
  /** Of the nominal rows of training. */
  share: z.number(),
  /** In the units of the features. */
  physical: z.array(z.number()),
});

/** How two models differ. */
export const ModelDiff = z.object({
  a: Side,
  b: Side,
  features: z.array(z.string()),
  /** Per feature, in its unit: the mean of nominal operation and its standard deviation. */
  scaler: z.object({ mean: z.array(Both), scale: z.array(Both) }),
  thresholds: z.object({ tau_fast: Both, tau_persist: Both }),
  /** Paired so that the distances sum to the least possible; distances in standard deviations of nominal operation. */
  centres: z.object({
    matched: z.array(z.object({ a: Centre, b: Centre, distance: z.number() })),
    /** Those without a partner in the other model. */
    only_a: z.array(Centre),
    only_b: z.array(Centre),
    mean_distance: z.number(),
  }),
  /** What both make of the same rows: golden samples of both models and recent samples of the site. */
  agreement: z.object({
    rows: z.object({ golden: z.int(), stored: z.int() }),
    /** Rows that one of them at least can say nothing of. */
    unscored: z.int(),
    /** Of the scored rows, those that are on the same level in both; null where there is none. */
    share: z.number().nullable(),
    /** Rows by their level in `a` and their level in `b`: nominal, fast, persist. */
    levels: z.array(z.array(z.int()).length(3)).length(3),
    /** Of the scored rows, those at or above tau_fast. */
    alarm_share: z.object({ a: z.number().nullable(), b: z.number().nullable() }),
    /** Pearson's correlation of D / tau_fast; null where there is nothing to correlate. */
    correlation: z.number().nullable(),
  }),
});
export type ModelDiff = z.infer<typeof ModelDiff>;
