import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffModels, type ReferenceRows } from "../../../../aggregator/models/registry/diff.ts";
import type { ModelFile } from "../../../../shared/contracts/model.ts";
import { ModelDiff } from "../../../../shared/contracts/model-diff.ts";
import { FEATURES } from "../../../../shared/ims/features.ts";
import { MODEL_KINDS } from "../../../../shared/ims/kinds.ts";
import { sealModel } from "../../../../shared/ims/model-file.ts";
import { trainModel } from "../../../../shared/ims/train.ts";
import { LIMITS, nominalRows } from "../../../support/models.ts";

const F = FEATURES.length;
/** Wide boxes: fewer of them, and so a faster test. */
const TOLERANCES = { init: 0.25, expand: 2.5 };
const MODELS = MODEL_KINDS.flatMap((kind) =>
  [1, 2, 3].map((seed) =>
    trainModel(nominalRows(2_000, seed), {
      ...{ kind, seed, clusters: 3 + seed, tolerances: TOLERANCES, limits: LIMITS },
      ...{ data: "test", created_ms: Date.UTC(2026, 0, seed) },
      ...(seed === 3 ? { threshold: { method: "per_cluster", fast: 0.95, persist: 0.98 } } : {}),
    }),
  ),
);
const modelAt = (index: number) => MODELS[index]!;
/** By its place: a counterexample need not print whole models. */
const anyModel = fc.nat(MODELS.length - 1);
const RUNS = { numRuns: 40 };

interface RowsAsked {
  seed: number;
  rows: number;
  stretch: number;
}
/** Rows from nominal to far out, some with a feature missing. */
const anyRows: fc.Arbitrary<RowsAsked> = fc.record({
  seed: fc.nat(1_000),
  rows: fc.nat(60),
  stretch: fc.double({ min: 0, max: 6, noNaN: true }),
});
function referenceOf({ seed, rows, stretch }: RowsAsked): ReferenceRows {
  const stored = nominalRows(rows, seed).map((value, at) =>
    at % 17 === 3 ? Number.NaN : value * (1 + (at % 5) * 0.05 * stretch),
  );
  return { golden: nominalRows(16, seed + 1), stored };
}

/** The same model with its clusters in another order. */
function permuted(model: ModelFile, order: readonly number[]): ModelFile {
  const pick = <T>(values: readonly T[]) => order.map((c) => values[c]!);
  const { sha256: _, ...content } = model;
  return sealModel({
    ...content,
    centers: pick(model.centers),
    ...(model.boxes ? { boxes: pick(model.boxes) } : {}),
    ...(model.tau_per_cluster
      ? {
          tau_per_cluster: {
            fast: pick(model.tau_per_cluster.fast),
            persist: pick(model.tau_per_cluster.persist),
          },
        }
      : {}),
    ...(model.covariances ? { covariances: pick(model.covariances) } : {}),
    training: { ...model.training, cluster_sizes: pick(model.training.cluster_sizes) },
    golden: model.golden.map((golden) => ({ ...golden, cluster: order.indexOf(golden.cluster) })),
  });
}

/** `diff` with the names of its sides exchanged. */
function exchanged(diff: ModelDiff): unknown {
  const swap = ({ a, b }: { a: unknown; b: unknown }) => ({ a: b, b: a });
  const { matched, only_a, only_b } = diff.centres;
  const { levels, alarm_share } = diff.agreement;
  return {
    ...diff,
    ...swap(diff),
    scaler: { mean: diff.scaler.mean.map(swap), scale: diff.scaler.scale.map(swap) },
    thresholds: {
      tau_fast: swap(diff.thresholds.tau_fast),
      tau_persist: swap(diff.thresholds.tau_persist),
    },
    centres: {
      ...diff.centres,
      matched: matched.map((match) => ({ ...swap(match), distance: match.distance })),
      only_a: only_b,
      only_b: only_a,
    },
    agreement: {
      ...diff.agreement,
      levels: levels.map((_, i) => levels.map((row) => row[i])),
      alarm_share: swap(alarm_share),
    },
  };
}

/** Distances and shares to twelve digits: their sums may be taken in another order. */
function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner) =>
      typeof inner === "number" && !Number.isInteger(inner) ? Number(inner.toPrecision(12)) : inner,
    ),
  );
}

/** What does not say which number a cluster has, or in which order clusters of the same size are listed. */
function unnumbered(diff: unknown): unknown {
  const { a: _a, b: _b, centres, ...rest } = rounded(diff) as ModelDiff;
  const bare = ({ share, physical }: { share: number; physical: number[] }) => ({ share, physical });
  const inAnyOrder = (list: unknown[]) => list.map((entry) => JSON.stringify(entry)).sort();
  return {
    ...rest,
    mean_distance: centres.mean_distance,
    matched: inAnyOrder(centres.matched.map(({ a, b, distance }) => ({ a: bare(a), b: bare(b), distance }))),
    only_a: inAnyOrder(centres.only_a.map(bare)),
    only_b: inAnyOrder(centres.only_b.map(bare)),
  };
}

describe("the difference of two models", () => {
  it("is none between a model and itself, of whatever kind", () => {
    fc.assert(
      fc.property(anyModel, anyRows, (index, rows) => {
        const model = modelAt(index);
        const { agreement, centres, thresholds, scaler } = diffModels(model, model, referenceOf(rows));
        expect(agreement.share).toBe(1);
        // Where every row lies inside a box, D does not vary and correlates with nothing.
        expect(agreement.correlation ?? 1).toBeCloseTo(1, 12);
        expect(agreement.alarm_share.a).toBe(agreement.alarm_share.b);
        expect(centres.only_a).toEqual([]);
        expect(centres.only_b).toEqual([]);
        expect(centres.mean_distance).toBe(0);
        expect(centres.matched.every(({ a, b }) => a.cluster === b.cluster)).toBe(true);
        expect(thresholds.tau_fast.a).toBe(thresholds.tau_fast.b);
        expect(scaler.mean.every(({ a, b }) => a === b)).toBe(true);
      }),
      RUNS,
    );
  });

  it("is the same from the other side, with the names exchanged", () => {
    fc.assert(
      fc.property(anyModel, anyModel, anyRows, (a, b, rows) => {
        const one = diffModels(modelAt(a), modelAt(b), referenceOf(rows));
        const other = diffModels(modelAt(b), modelAt(a), referenceOf(rows));
        expect(unnumbered(exchanged(other))).toEqual(unnumbered(one));
      }),
      RUNS,
    );
  });

  it("does not depend on the order of the clusters", () => {
    const withOrder = anyModel.chain((index) => {
      const clusters = [...modelAt(index).centers.keys()];
      const order = fc.shuffledSubarray(clusters, { minLength: clusters.length });
      return fc.record({ index: fc.constant(index), order });
    });
    fc.assert(
      fc.property(withOrder, anyModel, anyRows, ({ index, order }, other, rows) => {
        const plain = diffModels(modelAt(index), modelAt(other), referenceOf(rows));
        const shuffled = diffModels(permuted(modelAt(index), order), modelAt(other), referenceOf(rows));
        expect(unnumbered(shuffled)).toEqual(unnumbered(plain));
      }),
      RUNS,
    );
  });

  it("keeps its figures in bounds, and counts every row once", () => {
    fc.assert(
      fc.property(anyModel, anyModel, anyRows, (in_a, in_b, rows) => {
        const [a, b] = [modelAt(in_a), modelAt(in_b)];
        const reference = referenceOf(rows);
        const { agreement, centres } = ModelDiff.parse(diffModels(a, b, reference));
        const counted = agreement.levels.flat().reduce((sum, count) => sum + count, 0);
        expect(counted + agreement.unscored).toBe((reference.golden.length + reference.stored.length) / F);
        expect(agreement.share).toBeGreaterThanOrEqual(0);
        expect(agreement.share).toBeLessThanOrEqual(1);
        expect(Math.abs(agreement.correlation ?? 0)).toBeLessThanOrEqual(1);
        const pairs = Math.min(a.centers.length, b.centers.length);
        expect(centres.matched).toHaveLength(pairs);
        expect(centres.only_a).toHaveLength(a.centers.length - pairs);
        expect(centres.only_b).toHaveLength(b.centers.length - pairs);
      }),
      RUNS,
    );
  });

  it("with thresholds moved: the rows between the old and the new are told apart, level by level", () => {
    const [model] = MODELS as [ModelFile, ...ModelFile[]];
    const { sha256: _, ...content } = model;
    const cautious = sealModel({ ...content, id: "cautious", tau_fast: model.tau_fast * 0.7 });
    const reference = { golden: nominalRows(400, 9), stored: new Float64Array() };
    const { agreement, thresholds } = diffModels(model, cautious, reference);
    expect(thresholds.tau_fast).toEqual({ a: model.tau_fast, b: model.tau_fast * 0.7 });
    const [nominal] = agreement.levels as [number[], number[], number[]];
    expect(nominal[1]).toBeGreaterThan(0);
    expect(agreement.share).toBeCloseTo(1 - nominal[1]! / 400, 12);
    expect(agreement.alarm_share.b! - agreement.alarm_share.a!).toBeCloseTo(nominal[1]! / 400, 12);
    expect(agreement.correlation).toBeCloseTo(1, 9);
  });

  it("pairs a centre that moved with where it was, and measures by how much, in standard deviations", () => {
    const [model] = MODELS as [ModelFile, ...ModelFile[]];
    const { sha256: _, ...content } = model;
    const centers = model.centers.map((z, c) =>
      c === 1 ? z.map((value, j) => value + (j === 0 ? 0.5 : 0)) : z,
    );
    const moved = sealModel({ ...content, id: "moved", centers });
    const { centres } = diffModels(model, moved, { golden: nominalRows(1, 1), stored: new Float64Array() });
    expect(centres.matched.at(-1)).toMatchObject({ a: { cluster: 1 }, b: { cluster: 1 } });
    expect(centres.matched.at(-1)?.distance).toBeCloseTo(0.5, 12);
    const inlet_c = (side: "a" | "b") => centres.matched.at(-1)![side].physical[0]!;
    expect(inlet_c("b") - inlet_c("a")).toBeCloseTo(0.5 * model.scaler.scale[0]!, 12);
  });

  it("has no agreement to tell where there are no rows", () => {
    const [a, b] = MODELS as [ModelFile, ModelFile, ...ModelFile[]];
    const nothing = { golden: new Float64Array(), stored: new Float64Array() };
    const { agreement } = diffModels(a, b, nothing);
    expect([agreement.share, agreement.correlation, agreement.alarm_share.a]).toEqual([null, null, null]);
  });

  it("is refused between models of different features", () => {
    const [model] = MODELS as [ModelFile, ...ModelFile[]];
    const other = { ...model, features: ["x", ...model.features.slice(1)] };
    const nothing = { golden: new Float64Array(), stored: new Float64Array() };
    expect(() => diffModels(model, other, nothing)).toThrow(
      expect.objectContaining({ code: "SKADI_MODEL_FEATURES" }),
    );
  });
});
