import type { ModelFile } from "../../../shared/contracts/model.ts";
import type { ModelDiff } from "../../../shared/contracts/model-diff.ts";
import { skadiError } from "../../../shared/errors.ts";
import { levelOf, scoreBatch } from "../../../shared/ims/score.ts";
import { thresholdsAt } from "../../../shared/ims/thresholds.ts";
import { matchPoints } from "./match.ts";

/** Rows that both models score, row-major in physical units; NaN where a feature is missing. */
export interface ReferenceRows {
  golden: Float64Array;
  stored: Float64Array;
}

type Centre = ModelDiff["centres"]["only_a"][number];

/** Pairing takes time with the cube of the number: of larger models, the largest clusters are compared. */
const CENTRES_MAX = 512;
const LEVELS = ["nominal", "fast", "persist"] as const;

/**
 * How two models differ. Nothing in it depends on the order of the clusters but their numbers, and nothing on which model
 * comes first but what is named `a` and `b`.
 *
 * @throws SkadiError SKADI_MODEL_FEATURES for models of different features
 */
export function diffModels(a: ModelFile, b: ModelFile, reference: ReferenceRows): ModelDiff {
  const { features } = a;
  if (features.join() !== b.features.join()) {
    const detail = { field: "features", value: b.features.join(), expected: features.join() };
    throw skadiError("SKADI_MODEL_FEATURES", detail);
  }
  const both = (of: (model: ModelFile) => readonly number[]) =>
    features.map((_, j) => ({ a: of(a)[j]!, b: of(b)[j]! }));
  return {
    a: side(a),
    b: side(b),
    features,
    scaler: { mean: both((m) => m.scaler.mean), scale: both((m) => m.scaler.scale) },
    thresholds: {
      tau_fast: { a: a.tau_fast, b: b.tau_fast },
      tau_persist: { a: a.tau_persist, b: b.tau_persist },
    },
    centres: compareCentres(a, b),
    agreement: compareVerdicts(a, b, reference),
  };
}

function side({ id, sha256, kind, centers }: ModelFile): ModelDiff["a"] {
  return { model_id: id, sha256, kind, clusters: centers.length };
}

function compareCentres(a: ModelFile, b: ModelFile): ModelDiff["centres"] {
  const in_a = largestCentres(a);
  const in_b = largestCentres(b);
  // One unit for both models: the root mean square of their standard deviations.
  const unit = a.scaler.scale.map((scale, j) => Math.hypot(scale, b.scaler.scale[j]!) / Math.SQRT2);
  const matches = matchPoints(
    in_a.map(({ physical }) => physical),
    in_b.map(({ physical }) => physical),
    (p, q) => Math.hypot(...p.map((value, j) => (value - q[j]!) / unit[j]!)),
  );
  const matched = matches.map((match) => ({
    a: in_a[match.a]!,
    b: in_b[match.b]!,
    distance: match.distance,
  }));
  const paired = new Set(matched.flatMap((match) => [match.a, match.b]));
  return {
    matched,
    only_a: in_a.filter((centre) => !paired.has(centre)),
    only_b: in_b.filter((centre) => !paired.has(centre)),
    mean_distance: matched.reduce((sum, { distance }) => sum + distance, 0) / matched.length,
  };
}

/** Largest first. */
function largestCentres({ centers, scaler, training }: ModelFile): Centre[] {
  return centers
    .map((z, cluster) => ({
      cluster,
      share: (training.cluster_sizes[cluster] ?? 0) / training.nominal_rows,
      physical: z.map((value, j) => value * scaler.scale[j]! + scaler.mean[j]!),
    }))
    .sort((p, q) => q.share - p.share)
    .slice(0, CENTRES_MAX);
}

function compareVerdicts(
  a: ModelFile,
  b: ModelFile,
  { golden, stored }: ReferenceRows,
): ModelDiff["agreement"] {
  const F = a.features.length;
  const x = new Float64Array(golden.length + stored.length);
  x.set(golden);
  x.set(stored, golden.length);
  const verdicts = { a: verdictsOf(a, x), b: verdictsOf(b, x) };
  const scored = [...verdicts.a.level.keys()].filter(
    (i) => verdicts.a.level[i] !== null && verdicts.b.level[i] !== null,
  );
  const levels = LEVELS.map((in_a) =>
    LEVELS.map(
      (in_b) => scored.filter((i) => verdicts.a.level[i] === in_a && verdicts.b.level[i] === in_b).length,
    ),
  );
  const share = (count: number) => (scored.length > 0 ? count / scored.length : null);
  const same = LEVELS.reduce((sum, _, i) => sum + levels[i]![i]!, 0);
  const alarms = (level: Verdicts["level"]) => scored.filter((i) => level[i] !== "nominal").length;
  const ratios = (ratio: Float64Array) => Float64Array.from(scored, (i) => ratio[i]!);
  return {
    rows: { golden: golden.length / F, stored: stored.length / F },
    unscored: x.length / F - scored.length,
    share: share(same),
    levels,
    alarm_share: { a: share(alarms(verdicts.a.level)), b: share(alarms(verdicts.b.level)) },
    correlation: correlation(ratios(verdicts.a.ratio), ratios(verdicts.b.ratio)),
  };
}

interface Verdicts {
  /** null where the model says nothing. */
  level: ((typeof LEVELS)[number] | null)[];
  /** D / tau_fast. */
  ratio: Float64Array;
}

function verdictsOf(model: ModelFile, x: Float64Array): Verdicts {
  const { d, cluster } = scoreBatch(model, x);
  const taus = Array.from(cluster, (c) => thresholdsAt(model, c));
  return {
    level: Array.from(d, (value, i) => (Number.isFinite(value) ? levelOf(value, taus[i]!) : null)),
    ratio: d.map((value, i) => value / taus[i]!.tau_fast),
  };
}

/** Pearson's; null for fewer than two values, or where one side does not vary. */
function correlation(p: Float64Array, q: Float64Array): number | null {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mean_p, mean_q] = [mean(p), mean(q)];
  let pq = 0;
  let pp = 0;
  let qq = 0;
  for (let i = 0; i < p.length; i++) {
    const dp = p[i]! - mean_p;
    const dq = q[i]! - mean_q;
    pq += dp * dq;
    pp += dp * dp;
    qq += dq * dq;
  }
  // The quotient may leave [−1, 1] by rounding.
  return pp > 0 && qq > 0 ? Math.max(-1, Math.min(1, pq / Math.sqrt(pp * qq))) : null;
}
