import type { ModelFile } from "../contracts/model.ts";
import type { Contributions, Score, ScoreLevel } from "../contracts/score.ts";
import type { TelemetrySample } from "../contracts/telemetry.ts";
import { skadiError } from "../errors.ts";
import { compileDistance, type Distance, type Geometry, type Prepared } from "./distance.ts";
import { FEATURES } from "./features.ts";
import { type NearestProblem, nearestRows } from "./kernel/nearest.ts";
import { type Completion, completion } from "./missing.ts";
import { type Taus, thresholdsAt } from "./thresholds.ts";
import { toFeatures } from "./to-features.ts";

/** What IMS says of one feature vector. */
export interface Verdict {
  /** Distance to the nearest cluster, in standard deviations of nominal operation; NaN where nothing is known. */
  d: number;
  cluster: number;
  /** Share of D² per feature, in the model's order; sums to 1, or all 0 where D is 0. */
  contributions: Float64Array;
  /** How many features were missing (NaN); D is then what it would be if they deviated like the others. */
  missing: number;
}

export interface Scorer {
  readonly model: ModelFile;
  /** Scores one vector of the model's features. `out` may be reused between calls to avoid allocation. */
  score(x: Float64Array, out?: Verdict): Verdict;
  /** How much D can rise at most when a complete vector changes from one to the other. */
  riseAtMost(from: Float64Array, to: Float64Array): number;
}

/** The part of a model that D needs. */
type ScoringModel = Geometry & Pick<ModelFile, "scaler" | "square_moments">;

/**
 * D(x) of IMS (Iverson, "Inductive System Health Monitoring", 2004), of the model's kind, in standardised units.
 *
 * @param prepared what `prepareDistance` made of this model, where that was done apart
 * @throws SkadiError SKADI_MODEL_SCHEMA for a covariance that is not positive definite
 */
export function createScorer(model: ModelFile, prepared: Prepared = null): Scorer {
  const { scale } = model.scaler;
  const distance = compiled(model, allFeatures(scale.length), prepared);
  return {
    model,
    score: scoreFunction(model, distance),
    riseAtMost: (from, to) => distance.riseAtMost(to.map((value, j) => (value - from[j]!) / scale[j]!)),
  };
}

function scoreFunction(model: ScoringModel, whole: Distance): Scorer["score"] {
  const mean = Float64Array.from(model.scaler.mean);
  const inverse_scale = Float64Array.from(model.scaler.scale, (s) => 1 / s);
  const F = mean.length;
  const partial = partialScores(model);
  const z = new Float64Array(F);
  return (x, out = { d: 0, cluster: 0, contributions: new Float64Array(F), missing: 0 }) => {
    let missing = 0;
    for (let j = 0; j < F; j++) {
      z[j] = (x[j]! - mean[j]!) * inverse_scale[j]!;
      if (Number.isNaN(z[j])) missing++;
    }
    out.missing = missing;
    if (missing > 0) return partial(z, out);
    out.cluster = whole.nearest(z, 0);
    const squared = whole.squares(out.cluster, z, 0, out.contributions);
    const inverse = squared > 0 ? 1 / squared : 0;
    for (let j = 0; j < F; j++) out.contributions[j]! *= inverse;
    out.d = Math.sqrt(squared);
    return out;
  };
}

/** Which sensors fail together changes rarely; a fuzzer must not fill the memory all the same. */
const PARTIAL_MODELS_MAX = 64;

interface PartialModel {
  present: number[];
  distance: Distance;
  complete: Completion;
  /** Scratch. */
  some: Float64Array;
  squares: Float64Array;
}

/** Scores vectors with missing features on a model of the others, which is made once for each set of them. */
function partialScores(model: ScoringModel): (z: Float64Array, out: Verdict) => Verdict {
  const F = model.scaler.mean.length;
  const models = new Map<number, PartialModel>();
  const modelOf = (key: number, z: Float64Array) => {
    const known = models.get(key);
    if (known) return known;
    if (models.size >= PARTIAL_MODELS_MAX) models.clear();
    const present = allFeatures(F).filter((j) => !Number.isNaN(z[j]));
    const made: PartialModel = {
      present,
      distance: compiled(model, present),
      complete: completion(model.kind, model.square_moments, present, F),
      some: new Float64Array(present.length),
      squares: new Float64Array(present.length),
    };
    models.set(key, made);
    return made;
  };
  return (z, out) => {
    let key = 0;
    for (let j = 0; j < F; j++) key = 2 * key + (Number.isNaN(z[j]) ? 0 : 1);
    out.contributions.fill(0);
    if (key === 0) return Object.assign(out, { d: Number.NaN, cluster: 0 });
    const { present, distance, complete, some, squares } = modelOf(key, z);
    for (let i = 0; i < present.length; i++) some[i] = z[present[i]!]!;
    out.cluster = distance.nearest(some, 0);
    const squared = distance.squares(out.cluster, some, 0, squares);
    if (squared > 0)
      for (let i = 0; i < present.length; i++) out.contributions[present[i]!] = squares[i]! / squared;
    out.d = Math.sqrt(complete(squared));
    return out;
  };
}

const allFeatures = (F: number): number[] => Array.from({ length: F }, (_, j) => j);

function compiled(model: Geometry, present: readonly number[], prepared: Prepared = null): Distance {
  const distance = compileDistance(model, present, prepared);
  if (distance) return distance;
  const expected = "symmetric positive definite matrices";
  throw skadiError("SKADI_MODEL_SCHEMA", { field: "covariances", expected });
}

/**
 * D of many vectors.
 *
 * @param x row-major raw features, n × F; NaN where missing
 * @returns n distances, and the nearest cluster of each
 */
export function scoreBatch(model: ScoringModel, x: Float64Array): { d: Float64Array; cluster: Int32Array } {
  const F = model.scaler.mean.length;
  const rows = x.length / F;
  const d = new Float64Array(rows);
  const cluster = new Int32Array(rows);
  if (model.kind === "kmeans") {
    nearestRows(nearestProblem(model), x, cluster, d);
    if (allRooted(d)) return { d, cluster };
  }
  const score = scoreFunction(model, compiled(model, allFeatures(F)));
  const row = new Float64Array(F);
  const verdict: Verdict = { d: 0, cluster: 0, contributions: new Float64Array(F), missing: 0 };
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < F; j++) row[j] = x[i * F + j]!;
    score(row, verdict);
    d[i] = verdict.d;
    cluster[i] = verdict.cluster;
  }
  return { d, cluster };
}

/** Takes the roots in place; false if a row was incomplete: its NaN is nearer to nothing, which leaves infinity. */
function allRooted(d2: Float64Array): boolean {
  let complete = true;
  for (let i = 0; i < d2.length; i++) {
    const squared = d2[i]!;
    if (squared === Number.POSITIVE_INFINITY) complete = false;
    d2[i] = Math.sqrt(squared);
  }
  return complete;
}

function nearestProblem(model: ScoringModel): NearestProblem {
  return {
    mean: Float64Array.from(model.scaler.mean),
    inverse_scale: Float64Array.from(model.scaler.scale, (s) => 1 / s),
    centers: Float64Array.from(model.centers.flat()),
  };
}

/** Where D lies among the thresholds that hold for its cluster (`thresholdsAt`). */
export function levelOf(d: number, taus: Taus): ScoreLevel {
  if (d >= taus.tau_persist) return "persist";
  return d >= taus.tau_fast ? "fast" : "nominal";
}

/**
 * Scores a telemetry sample on a model of the ten telemetry features and words the verdict as the Score message;
 * null where no feature is present, or D is not finite.
 */
export function scoreTelemetry(
  scorer: Scorer,
  sample: TelemetrySample,
  scored_by: Score["scored_by"],
): Score | null {
  const x = toFeatures(sample);
  const verdict = scorer.score(x);
  if (!Number.isFinite(verdict.d)) return null;
  const { model } = scorer;
  const { tau_fast, tau_persist } = thresholdsAt(model, verdict.cluster);
  return {
    v: 1,
    ts: sample.ts,
    rack_id: sample.rack_id,
    seq: sample.seq,
    d: verdict.d,
    tau_fast,
    tau_persist,
    cluster: verdict.cluster,
    contributions: namedContributions(verdict),
    missing: FEATURES.filter((_, j) => Number.isNaN(x[j])),
    model_id: model.id,
    state: levelOf(verdict.d, { tau_fast, tau_persist }),
    scored_by,
  };
}

function namedContributions(verdict: Verdict): Contributions {
  const named: Contributions = {};
  for (let j = 0; j < FEATURES.length; j++) named[FEATURES[j]!] = verdict.contributions[j]!;
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
