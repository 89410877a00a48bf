import type { Limits } from "../contracts/config.ts";
import type { GoldenSample, ModelFile, ScoreDistribution } from "../contracts/model.ts";
import { skadiError } from "../errors.ts";
import { seededRandom } from "../random.ts";
import { isoTime } from "../time.ts";
import { FEATURES } from "./features.ts";
import { cluster } from "./kmeans.ts";
import { sealModel } from "./model-file.ts";
import { isNominal } from "./nominal.ts";
import { scoreBatch } from "./score.ts";
import { moments, quantile } from "./statistics.ts";

const F = FEATURES.length;
const TAU_FAST_QUANTILE = 0.95;
const TAU_PERSIST_QUANTILE = 0.98;
/** Fewer nominal rows than this per cluster say nothing about its spread. */
const ROWS_PER_CLUSTER_MIN = 50;
const GOLDEN_NOMINAL = 12;
const GOLDEN_ANOMALOUS = 4;

export interface TrainOptions {
  clusters: number;
  seed: number;
  limits: Limits;
  /** Where the rows came from, for the record. */
  data: string;
  created_ms: number;
}

/**
 * Trains the described IMS: nominal filter, standardisation, k-means, thresholds at p95 and p98 of D.
 *
 * @param rows row-major features in physical units, n × FEATURES.length; NaN marks a missing value
 * @throws SkadiError SKADI_BAD_DATA for too few nominal rows or a feature that never changes
 */
export function trainModel(rows: Float64Array, options: TrainOptions): ModelFile {
  const { nominal, anomalous } = split(rows, options.limits);
  const nominal_rows = nominal.length / F;
  requireEnough(nominal_rows, rows.length / F, options.clusters);
  const scaler = fitScaler(nominal);
  const clustering = cluster(standardise(nominal, scaler), F, options.clusters, seededRandom(options.seed));
  const unsealed = {
    v: 1 as const,
    kind: "kmeans" as const,
    id: modelId(options.created_ms),
    created_at: isoTime(options.created_ms),
    features: [...FEATURES],
    scaler,
    centers: toRows(clustering.centers),
    tau_fast: 1,
    tau_persist: 2,
  };
  const scored = scoreBatch(unsealed, nominal);
  const sorted = scored.d.toSorted();
  const { mean, std } = moments(scored.d);
  const scored_anomalous = anomalous.length > 0 ? scoreBatch(unsealed, anomalous) : null;
  return sealModel({
    ...unsealed,
    tau_fast: quantile(sorted, TAU_FAST_QUANTILE),
    tau_persist: quantile(sorted, TAU_PERSIST_QUANTILE),
    training: {
      data: options.data,
      rows: rows.length / F,
      nominal_rows,
      clusters: options.clusters,
      seed: options.seed,
      iterations: clustering.iterations,
      mean_d: mean,
      std_d: std,
      mean_d2: clustering.mean_d2,
      cluster_sizes: clustering.sizes,
    },
    distributions: {
      nominal: distribution(scored.d),
      anomalous: scored_anomalous ? distribution(scored_anomalous.d) : null,
    },
    golden: [
      ...goldenSamples(nominal, scored, GOLDEN_NOMINAL),
      ...(scored_anomalous ? goldenSamples(anomalous, scored_anomalous, GOLDEN_ANOMALOUS) : []),
    ],
  });
}

/** `ims_20260131_120000`: sorts by age, readable in a log. */
function modelId(created_ms: number): string {
  return `ims_${isoTime(created_ms).slice(0, 19).replace("T", "_").replaceAll(/[-:]/g, "")}`;
}

/** Rows that pass the nominal filter, and complete rows that do not; rows with a missing value are in neither. */
function split(rows: Float64Array, limits: Limits): { nominal: Float64Array; anomalous: Float64Array } {
  const count = rows.length / F;
  const is_nominal = new Uint8Array(count);
  const is_complete = new Uint8Array(count);
  let nominal_count = 0;
  let complete_count = 0;
  for (let i = 0; i < count; i++) {
    is_complete[i] = isComplete(rows, i * F) ? 1 : 0;
    is_nominal[i] = isNominal(rows, i * F, limits) ? 1 : 0;
    nominal_count += is_nominal[i]!;
    complete_count += is_complete[i]!;
  }
  const nominal = new Float64Array(nominal_count * F);
  const anomalous = new Float64Array((complete_count - nominal_count) * F);
  let nominal_at = 0;
  let anomalous_at = 0;
  for (let i = 0; i < count; i++) {
    if (!is_complete[i]) continue;
    const row = rows.subarray(i * F, i * F + F);
    if (is_nominal[i]) {
      nominal.set(row, nominal_at);
      nominal_at += F;
    } else {
      anomalous.set(row, anomalous_at);
      anomalous_at += F;
    }
  }
  return { nominal, anomalous };
}

function isComplete(rows: Float64Array, at: number): boolean {
  for (let j = 0; j < F; j++) if (Number.isNaN(rows[at + j])) return false;
  return true;
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

/** Mean and population standard deviation per feature (the described system's StandardScaler). */
function fitScaler(nominal: Float64Array): ModelFile["scaler"] {
  const rows = nominal.length / F;
  const mean: number[] = [];
  const scale: number[] = [];
  const column = new Float64Array(rows);
  for (let j = 0; j < F; j++) {
    for (let i = 0; i < rows; i++) column[i] = nominal[i * F + j]!;
    const m = moments(column);
    if (!(m.std > Number.EPSILON * Math.abs(m.mean))) {
      throw skadiError("SKADI_BAD_DATA", {
        field: FEATURES[j]!,
        value: m.mean,
        expected: "a feature that changes over the data",
      });
    }
    mean.push(m.mean);
    scale.push(m.std);
  }
  return { mean, scale };
}

function standardise(nominal: Float64Array, scaler: ModelFile["scaler"]): Float64Array {
  const z = new Float64Array(nominal.length);
  for (let at = 0; at < z.length; at += F) {
    for (let j = 0; j < F; j++) z[at + j] = (nominal[at + j]! - scaler.mean[j]!) / scaler.scale[j]!;
  }
  return z;
}

function toRows(matrix: Float64Array): number[][] {
  return Array.from({ length: matrix.length / F }, (_, i) => Array.from(matrix.subarray(i * F, i * F + F)));
}

function distribution(d: Float64Array): ScoreDistribution {
  const { mean, std } = moments(d);
  // D = 0 has no logarithm; it can only come from a sample that sits exactly on a centre.
  const logs = moments(d.map((value) => Math.log(Math.max(value, 1e-6))));
  return { count: d.length, mean, std, log_mean: logs.mean, log_std: logs.std };
}

/** Known answers that span the range of D: the smallest, the largest and equal steps in between. */
function goldenSamples(
  x: Float64Array,
  scored: { d: Float64Array; cluster: Int32Array },
  count: number,
): GoldenSample[] {
  const order = Uint32Array.from(scored.d.keys()).sort((a, b) => scored.d[a]! - scored.d[b]!);
  const picks = Math.min(count, order.length);
  return Array.from({ length: picks }, (_, i) => {
    const row = order[picks === 1 ? 0 : Math.round((i * (order.length - 1)) / (picks - 1))]!;
    const features = Array.from(x.subarray(row * F, row * F + F));
    return { x: features, d: scored.d[row]!, cluster: scored.cluster[row]! };
  });
}
