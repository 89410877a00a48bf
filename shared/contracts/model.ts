import * as z from "zod";
import { MODEL_KINDS } from "../ims/kinds.ts";
import { Timestamp } from "./envelope.ts";

/** Bounds what a reader must compute to check a model. */
const FEATURES_MAX = 64;
const DECILES = 9;
export const ModelId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1–64 of letters, digits, . _ -");
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits");

/** What a tau_persist that is none should have been; whoever reads a model has a code of its own for it. */
export const ABOVE_TAU_FAST = "a threshold above tau_fast";

const Vector = z.array(z.number()).min(1).max(FEATURES_MAX);
const Matrix = z.array(Vector).min(1).max(FEATURES_MAX);

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

/** How the clusters are shaped, and so what D means. docs/models.md says when to use which. */
export const ModelKind = z.enum(MODEL_KINDS);
export type ModelKind = z.infer<typeof ModelKind>;

/** A feature that is computed over the last rows of one input instead of being read. */
export const DerivedFeature = z.object({
  name: z.string().min(1),
  of: z.string().min(1),
  stat: z.enum(["mean", "rate", "std"]),
  /** Rows in the window, the newest included. */
  window_rows: z.int().min(2).max(3600),
});
export type DerivedFeature = z.infer<typeof DerivedFeature>;

const Share = z.number().gt(0).lt(1);

/** Where tau_fast and tau_persist came from. */
export const ThresholdRule = z.discriminatedUnion("method", [
  /** Quantiles of D over the nominal rows. */
  z.object({ method: z.literal("percentile"), fast: Share, persist: Share }),
  /** The same, for each cluster by itself. */
  z.object({ method: z.literal("per_cluster"), fast: Share, persist: Share }),
  /** From a generalized Pareto tail of D, for stated false-alarm rates per row. */
  z.object({ method: z.literal("tail"), fast_rate: Share, persist_rate: Share }),
  /** Multiples of the largest D of nominal operation. */
  z.object({ method: z.literal("margin"), fast: z.number().positive(), persist: z.number().positive() }),
]);
export type ThresholdRule = z.infer<typeof ThresholdRule>;

const TauPerCluster = z.object({
  fast: z.array(z.number().positive()),
  persist: z.array(z.number().positive()),
});

/** Moments of what each feature adds to D² in nominal operation; calibrates D where features are missing. */
const SquareMoments = z.object({ mean: z.array(z.number().min(0)), covariance: Matrix });
export type SquareMoments = z.infer<typeof SquareMoments>;

/** A population's shares in the bins between ascending edges (e edges, e + 1 shares); a value on an edge is below it. */
const BinnedDistribution = z
  .object({
    edges: z.array(z.number()).max(DECILES),
    shares: z
      .array(z.number().min(0).max(1))
      .min(1)
      .max(DECILES + 1),
  })
  .refine(({ edges, shares }) => shares.length === edges.length + 1, "one share more than edges")
  .refine(({ edges }) => edges.every((edge, i) => i === 0 || edge > edges[i - 1]!), "edges that ascend");
export type BinnedDistribution = z.infer<typeof BinnedDistribution>;

/** Nominal operation in training, against which later operation is held to see whether it drifts. */
const Reference = z.object({
  /** Nominal rows that the shares were counted on. */
  rows: z.int().positive(),
  /** In physical units, one per feature. */
  features: z.array(BinnedDistribution),
  d: BinnedDistribution,
});
export type Reference = z.infer<typeof Reference>;

/**
 * IMS model file, version 1: clusters of nominal operation in standardised units.
 * Files without the optional fields are those of the first release and mean the same as ever.
 */
export const ModelFile = z
  .object({
    v: z.literal(1),
    kind: ModelKind,
    id: ModelId,
    created_at: Timestamp,
    /** Names of the vector's F components, in its order. */
    features: z.array(z.string().min(1)).min(1).max(FEATURES_MAX),
    /** Those of `features` that are computed over a window; the others are read. */
    derived: z.array(DerivedFeature).optional(),
    scaler: z.object({ mean: Vector, scale: z.array(z.number().positive()) }),
    /** k × F; of a box, its middle. */
    centers: z.array(Vector).min(1).max(4096),
    /** kind hyperbox: k boxes. */
    boxes: z.array(z.object({ low: Vector, high: Vector })).optional(),
    /** kind mahalanobis: k symmetric positive definite F × F matrices. */
    covariances: z.array(Matrix).optional(),
    tau_fast: z.number().positive(),
    tau_persist: z.number().positive(),
    threshold: ThresholdRule.optional(),
    /** With per-cluster thresholds: those of each of the k clusters. */
    tau_per_cluster: TauPerCluster.optional(),
    square_moments: SquareMoments.optional(),
    /** Share of the way that the clusters follow each nominal row of a series (see shared/ims/series.ts). */
    baseline_weight: z.number().gt(0).lt(1).optional(),
    training: z.object({
      data: z.string(),
      rows: z.int().positive(),
      nominal_rows: z.int().positive(),
      /** Nominal rows that were set aside as contamination. */
      trimmed_rows: z.int().min(0).optional(),
      clusters: z.int().positive(),
      seed: z.int(),
      iterations: z.int().min(0),
      mean_d: z.number().min(0),
      std_d: z.number().min(0),
      mean_d2: z.number().min(0),
      cluster_sizes: z.array(z.int().min(0)),
    }),
    distributions: z.object({ nominal: ScoreDistribution, anomalous: ScoreDistribution.nullable() }),
    reference: Reference.optional(),
    golden: z.array(GoldenSample).min(1).max(256),
    sha256: Sha256,
  })
  .superRefine((m, context) => {
    const wrong = (path: string, message: string, input: unknown) =>
      context.addIssue({ code: "custom", path: path.split("."), message, input });
    if (!(m.tau_persist > m.tau_fast)) wrong("tau_persist", ABOVE_TAU_FAST, m.tau_persist);
    if (m.tau_per_cluster?.persist.some((persist, c) => persist < (m.tau_per_cluster?.fast[c] ?? 0)))
      wrong("tau_per_cluster.persist", ABOVE_TAU_FAST, m.tau_per_cluster.persist);
    for (const { path, actual, expected } of sizes(m))
      if (actual !== expected) wrong(path, `${expected} entries`, actual);
    if (new Set(m.features).size !== m.features.length) wrong("features", "names that differ", m.features);
    for (const { name } of m.derived ?? [])
      if (!m.features.includes(name)) wrong("derived", "derived features that are features too", name);
  });
export type ModelFile = z.infer<typeof ModelFile>;

interface SizeCheck {
  path: string;
  actual: number;
  expected: number;
}

/** Everything whose length follows from the number of features or of clusters. */
function* sizes(
  m: {
    [K in keyof ModelFile]: ModelFile[K];
  },
): Generator<SizeCheck> {
  const f = m.features.length;
  const k = m.centers.length;
  yield { path: "scaler.mean", actual: m.scaler.mean.length, expected: f };
  yield { path: "scaler.scale", actual: m.scaler.scale.length, expected: f };
  yield* each("centers", m.centers, f);
  yield* each(
    "golden",
    m.golden.map(({ x }) => x),
    f,
  );
  yield { path: "boxes", actual: m.boxes?.length ?? 0, expected: m.kind === "hyperbox" ? k : 0 };
  for (const { low, high } of m.boxes ?? []) yield* each("boxes", [low, high], f);
  const covariances = m.covariances ?? [];
  yield { path: "covariances", actual: covariances.length, expected: m.kind === "mahalanobis" ? k : 0 };
  for (const matrix of covariances) yield* square("covariances", matrix, f);
  if (m.square_moments) {
    yield { path: "square_moments.mean", actual: m.square_moments.mean.length, expected: f };
    yield* square("square_moments.covariance", m.square_moments.covariance, f);
  }
  if (m.reference) yield { path: "reference.features", actual: m.reference.features.length, expected: f };
  const per_cluster = m.threshold?.method === "per_cluster" ? k : 0;
  yield { path: "tau_per_cluster.fast", actual: m.tau_per_cluster?.fast.length ?? 0, expected: per_cluster };
  yield {
    path: "tau_per_cluster.persist",
    actual: m.tau_per_cluster?.persist.length ?? 0,
    expected: per_cluster,
  };
}

function* each(path: string, vectors: number[][], expected: number): Generator<SizeCheck> {
  for (const vector of vectors) yield { path, actual: vector.length, expected };
}

function* square(path: string, matrix: number[][], expected: number): Generator<SizeCheck> {
  yield { path, actual: matrix.length, expected };
  yield* each(path, matrix, expected);
}
