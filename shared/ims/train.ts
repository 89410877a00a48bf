import type { Limits } from "../contracts/config-parts.ts";
import type {
  DerivedFeature,
  GoldenSample,
  ModelFile,
  ModelKind,
  ScoreDistribution,
  ThresholdRule,
} from "../contracts/model.ts";
import { skadiError } from "../errors.ts";
import { isoTime } from "../time.ts";
import { FEATURES } from "./features.ts";
import { crossFittedDistances, distanceOf, type FitOptions, fitClusters } from "./fit.ts";
import { BOX_TOLERANCES, type BoxTolerances } from "./hyperbox.ts";
import { squareMoments } from "./missing.ts";
import { sealModel } from "./model-file.ts";
import { referenceOf } from "./reference.ts";
import { fitScaler, standardise, unitScaler } from "./scaler.ts";
import { scoreBatch } from "./score.ts";
import { splitRows } from "./split.ts";
import { moments } from "./statistics.ts";
import { withDerived } from "./temporal.ts";
import { DESCRIBED_RULE, fitThresholds } from "./thresholds.ts";
import { takeRows, trimRows } from "./trim.ts";

/** Fewer nominal rows than this per cluster say nothing about its spread. */
const ROWS_PER_CLUSTER_MIN = 50;
const GOLDEN_NOMINAL = 12;
const GOLDEN_ANOMALOUS = 4;

export interface TrainOptions {
  clusters: number;
  seed: number;
  /** Of the nominal filter; null takes every complete row as nominal. */
  limits: Limits | null;
  /** Where the rows came from, for the record. */
  data: string;
  created_ms: number;
  /** Tells models apart that are made in one second. */
  id_suffix?: string;
  /** Default: kmeans, the described one. */
  kind?: ModelKind;
  /** Default: the ten telemetry features. */
  features?: readonly string[];
  /** Those of `features` that are computed over a window; needs rows of one series in order of time. */
  derived?: readonly DerivedFeature[];
  /** Default: p95 and p98, the described ones. */
  threshold?: ThresholdRule;
  /**
   * Whether thresholds come from distances to clusters that were learnt without the row. Default: for boxes alone,
   * which have no other; the described thresholds are those of the training rows.
   */
  cross_fit?: boolean;
  /** At most this share of the nominal rows is set aside as contamination. Default 0. */
  trim_share?: number;
  /** How fast the clusters follow a series (see series.ts); recorded for the scorer, training stands still. */
  baseline_weight?: number;
  tolerances?: BoxTolerances;
}

/**
 * Trains an IMS model: derived features, nominal filter, trimming, standardisation, clusters, thresholds. Every step
 * beyond the described system is off unless asked for.
 *
 * @param rows row-major inputs in physical units, n × inputs (the features, where none is derived); NaN: missing
 * @throws SkadiError SKADI_BAD_DATA for too few nominal rows or a feature that never changes
 */
export function trainModel(rows: Float64Array, options: TrainOptions): ModelFile {
  return fitModel(prepareTraining(rows.slice(), options), options);
}

/** What a model is learnt from. */
export interface TrainingRows {
  /** Row-major features, n × features. */
  nominal: Float64Array;
  anomalous: Float64Array;
  /** How many rows there were, and how many of the nominal ones were set aside as contamination. */
  rows: number;
  trimmed_rows: number;
}

/**
 * The first half of training: derived features, nominal filter, trimming.
 *
 * @param rows are used up, to spare the memory of a copy
 */
export function prepareTraining(rows: Float64Array, options: TrainOptions): TrainingRows {
  const { features = FEATURES, derived = [], clusters, seed, trim_share = 0 } = options;
  const F = features.length;
  const x = derived.length > 0 ? withDerived(rows, features, derived) : rows;
  const { nominal: candidates, anomalous } = splitRows(x, features, options.limits);
  requireEnough(candidates.length / F, x.length / F, clusters);
  const nominal =
    trim_share > 0
      ? takeRows(candidates, trimRows(candidates, features, { share_max: trim_share, clusters, seed }), F)
      : candidates;
  const trimmed_rows = (candidates.length - nominal.length) / F;
  return { nominal, anomalous, rows: x.length / F, trimmed_rows };
}

/**
 * The second half: standardisation, clusters, thresholds.
 *
 * @param prepared is used up: its nominal rows are standardised in place
 */
export function fitModel(prepared: TrainingRows, options: TrainOptions): ModelFile {
  const { kind = "kmeans", features = FEATURES, derived = [], threshold = DESCRIBED_RULE } = options;
  const { clusters, seed, trim_share = 0, tolerances = BOX_TOLERANCES } = options;
  const { nominal, anomalous, rows, trimmed_rows } = prepared;
  const F = features.length;
  const nominal_rows = nominal.length / F;
  const scaler = fitScaler(nominal, features);
  // A second copy would be the largest thing in memory.
  const z = standardise(nominal, scaler, nominal);
  const fit_options: FitOptions = { kind, clusters, seed, tolerances };
  const { geometry, sizes, iterations, scored: found } = fitClusters(z, F, fit_options);
  const cross_fitted =
    (options.cross_fit ?? kind === "hyperbox") ? crossFittedDistances(z, F, fit_options) : null;
  // Boxes leave nothing of their own rows outside.
  const square_moments =
    kind === "hyperbox" && cross_fitted
      ? cross_fitted.square_moments
      : squareMoments(z, F, distanceOf(geometry, F));
  const unsealed = { ...geometry, scaler, square_moments };
  const scored = found ?? scoreBatch({ ...unsealed, scaler: unitScaler(F) }, z);
  const d = cross_fitted?.d ?? scored.d;
  const { mean, std } = moments(d);
  const scored_anomalous = anomalous.length > 0 ? scoreBatch(unsealed, anomalous) : null;
  return sealModel({
    v: 1,
    id: modelId(options.created_ms) + (options.id_suffix ?? ""),
    created_at: isoTime(options.created_ms),
    features: [...features],
    ...(derived.length > 0 ? { derived: [...derived] } : {}),
    ...unsealed,
    ...(options.baseline_weight ? { baseline_weight: options.baseline_weight } : {}),
    ...fitThresholds(threshold, d, scored.cluster, geometry.centers.length),
    training: {
      data: options.data,
      rows,
      nominal_rows,
      ...(trim_share > 0 ? { trimmed_rows } : {}),
      clusters: geometry.centers.length,
      seed,
      iterations,
      mean_d: mean,
      std_d: std,
      mean_d2: meanSquare(d),
      cluster_sizes: sizes,
    },
    distributions: {
      nominal: distribution(d),
      anomalous: scored_anomalous ? distribution(scored_anomalous.d) : null,
    },
    reference: referenceOf(z, d, scaler),
    golden: [
      ...goldenSamples(restored(pickGolden(z, scored.d, GOLDEN_NOMINAL), scaler), unsealed),
      ...(scored_anomalous
        ? goldenSamples(pickGolden(anomalous, scored_anomalous.d, GOLDEN_ANOMALOUS), unsealed)
        : []),
    ],
  });
}

/** `ims_20260131_120000`: sorts by age, readable in a log. */
function modelId(created_ms: number): string {
  return `ims_${isoTime(created_ms).slice(0, 19).replace("T", "_").replaceAll(/[-:]/g, "")}`;
}

function requireEnough(nominal_rows: number, rows: number, clusters: number): void {
  const needed = clusters * ROWS_PER_CLUSTER_MIN;
  if (nominal_rows >= needed) return;
  const value = `${nominal_rows} nominal of ${rows} rows`;
  throw skadiError("SKADI_BAD_DATA", {
    field: "data",
    value,
    expected: `≥ ${needed} nominal rows for ${clusters} clusters`,
  });
}

function meanSquare(d: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < d.length; i++) squares += d[i]! * d[i]!;
  return squares / d.length;
}

function distribution(d: Float64Array): ScoreDistribution {
  const { mean, std } = moments(d);
  const log_d = new Float64Array(d.length);
  // D = 0 has no logarithm; it comes from a sample inside a box, or exactly on a centre.
  for (let i = 0; i < d.length; i++) log_d[i] = Math.log(Math.max(d[i]!, 1e-6));
  const logs = moments(log_d);
  return { count: d.length, mean, std, log_mean: logs.mean, log_std: logs.std };
}

/** Enough rows to find distances from small to large among them; sorting all would cost more than clustering. */
const GOLDEN_CANDIDATES = 1_000;

/** Rows that span the range of D: of a thousand, the smallest and largest, and equal steps in between. */
function pickGolden(x: Float64Array, d: Float64Array, count: number): Float64Array {
  const F = x.length / d.length;
  const candidates = Math.min(d.length, GOLDEN_CANDIDATES);
  const order = Uint32Array.from({ length: candidates }, (_, i) => Math.floor((i * d.length) / candidates));
  order.sort((a, b) => d[a]! - d[b]!);
  const picks = Math.min(count, candidates);
  const rows = Uint32Array.from({ length: picks }, (_, i) =>
    picks === 1 ? order[0]! : order[Math.round((i * (candidates - 1)) / (picks - 1))]!,
  );
  return takeRows(x, rows, F);
}

/** Standardised rows in physical units again. */
function restored(z: Float64Array, { mean, scale }: ModelFile["scaler"]): Float64Array {
  return z.map((value, at) => value * scale[at % mean.length]! + mean[at % mean.length]!);
}

/** Known answers, which prove that a reader computes as the trainer did. */
function goldenSamples(x: Float64Array, model: Parameters<typeof scoreBatch>[0]): GoldenSample[] {
  const F = model.scaler.mean.length;
  const { d, cluster } = scoreBatch(model, x);
  return Array.from(d, (value, i) => ({
    x: Array.from(x.subarray(i * F, i * F + F)),
    d: value,
    cluster: cluster[i]!,
  }));
}
