import type { ModelFile } from "../contracts/model.ts";
import type { Contributions, Score, ScoreLevel } from "../contracts/score.ts";
import type { TelemetrySample } from "../contracts/telemetry.ts";
import { FEATURES, toFeatures } from "./features.ts";

const F = FEATURES.length;

/** What IMS says of one feature vector. */
interface Verdict {
  /** Distance to the nearest cluster centre, in standard deviations of nominal operation. */
  d: number;
  cluster: number;
  /** Share of D² per feature, in the order of FEATURES; sums to 1, or all 0 where D is 0. */
  contributions: Float64Array;
  /** How many features were missing (NaN); D is then scaled up as if they deviated like the others. */
  missing: number;
}

export interface Scorer {
  readonly model: ModelFile;
  /** Scores one vector of FEATURES. `out` may be reused between calls to avoid allocation. */
  score(x: Float64Array, out?: Verdict): Verdict;
}

/** The part of a model that distances need. */
type Geometry = Pick<ModelFile, "scaler" | "centers">;

function newVerdict(): Verdict {
  return { d: 0, cluster: 0, contributions: new Float64Array(F), missing: 0 };
}

/**
 * D(x) of IMS (Iverson, "Inductive System Health Monitoring", 2004) in the described system's form:
 * Euclidean distance to the nearest k-means centre in standardised units.
 */
export function createScorer(model: ModelFile): Scorer {
  const { centers, mean, inverse_scale } = compile(model);
  const z = new Float64Array(F);
  return {
    model,
    score(x, out = newVerdict()) {
      let missing = 0;
      for (let j = 0; j < F; j++) {
        z[j] = (x[j]! - mean[j]!) * inverse_scale[j]!;
        if (Number.isNaN(z[j])) missing++;
      }
      const cluster = missing === 0 ? nearest(centers, z, 0) : nearestPartial(centers, z);
      const at = cluster * F;
      let squares = 0;
      for (let j = 0; j < F; j++) {
        const difference = z[j]! - centers[at + j]!;
        const share = Number.isNaN(difference) ? 0 : difference * difference;
        out.contributions[j] = share;
        squares += share;
      }
      const inverse = squares > 0 ? 1 / squares : 0;
      for (let j = 0; j < F; j++) out.contributions[j]! *= inverse;
      const present = F - missing;
      out.d = present === 0 ? Number.NaN : Math.sqrt(missing === 0 ? squares : (squares * F) / present);
      out.cluster = cluster;
      out.missing = missing;
      return out;
    },
  };
}

/**
 * D of many vectors.
 *
 * @param x row-major raw features, n × FEATURES.length, without NaN
 * @returns n distances, and the nearest cluster of each
 */
export function scoreBatch(model: Geometry, x: Float64Array): { d: Float64Array; cluster: Int32Array } {
  const { centers, mean, inverse_scale } = compile(model);
  const rows = x.length / F;
  const d = new Float64Array(rows);
  const cluster = new Int32Array(rows);
  const z = new Float64Array(F);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < F; j++) z[j] = (x[i * F + j]! - mean[j]!) * inverse_scale[j]!;
    cluster[i] = nearest(centers, z, 0);
    d[i] = Math.sqrt(squaredDistance(centers, cluster[i]! * F, z, 0));
  }
  return { d, cluster };
}

/** Where D lies among the model's thresholds. */
export function levelOf(d: number, model: Pick<ModelFile, "tau_fast" | "tau_persist">): ScoreLevel {
  if (d >= model.tau_persist) return "persist";
  return d >= model.tau_fast ? "fast" : "nominal";
}

/** Scores a telemetry sample and words the verdict as the Score message; null where no feature is present, or D is not finite. */
export function scoreTelemetry(
  scorer: Scorer,
  sample: TelemetrySample,
  scored_by: Score["scored_by"],
): Score | null {
  const x = toFeatures(sample);
  const verdict = scorer.score(x);
  if (!Number.isFinite(verdict.d)) return null;
  const { model } = scorer;
  return {
    v: 1,
    ts: sample.ts,
    rack_id: sample.rack_id,
    seq: sample.seq,
    d: verdict.d,
    tau_fast: model.tau_fast,
    tau_persist: model.tau_persist,
    cluster: verdict.cluster,
    contributions: namedContributions(verdict),
    missing: FEATURES.filter((_, j) => Number.isNaN(x[j])),
    model_id: model.id,
    state: levelOf(verdict.d, model),
    scored_by,
  };
}

function namedContributions(verdict: Verdict): Contributions {
  const named: Contributions = {};
  for (let j = 0; j < F; j++) named[FEATURES[j]!] = verdict.contributions[j]!;
  return named;
}

/** The n features that deviate most, largest share first. */
export function topContributions(
  contributions: Contributions,
  n: number,
): { feature: string; share: number }[] {
  return Object.entries(contributions)
    .map(([feature, share]) => ({ feature, share: share ?? 0 }))
    .sort((a, b) => b.share - a.share)
    .slice(0, n);
}

function compile(model: Geometry) {
  return {
    centers: Float64Array.from(model.centers.flat()),
    mean: Float64Array.from(model.scaler.mean),
    inverse_scale: Float64Array.from(model.scaler.scale, (s) => 1 / s),
  };
}

/** Squared Euclidean distance between the centre at `c_at` and the point at `x_at`. */
function squaredDistance(centers: Float64Array, c_at: number, x: Float64Array, x_at: number): number {
  let sum = 0;
  for (let j = 0; j < F; j++) {
    const difference = x[x_at + j]! - centers[c_at + j]!;
    sum += difference * difference;
  }
  return sum;
}

/** Index of the centre nearest to the point at `at`; the lowest index wins a tie. */
function nearest(centers: Float64Array, x: Float64Array, at: number): number {
  let best = 0;
  let best_distance = Number.POSITIVE_INFINITY;
  for (let c = 0; c * F < centers.length; c++) {
    const distance = squaredDistance(centers, c * F, x, at);
    if (distance < best_distance) {
      best_distance = distance;
      best = c;
    }
  }
  return best;
}

function nearestPartial(centers: Float64Array, z: Float64Array): number {
  let best = 0;
  let best_distance = Number.POSITIVE_INFINITY;
  for (let c = 0; c * F < centers.length; c++) {
    let distance = 0;
    for (let j = 0; j < F; j++) {
      const difference = z[j]! - centers[c * F + j]!;
      if (!Number.isNaN(difference)) distance += difference * difference;
    }
    if (distance < best_distance) {
      best_distance = distance;
      best = c;
    }
  }
  return best;
}
