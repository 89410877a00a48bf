import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelKind } from "../../../shared/contracts/model.ts";
import { shrunkCovariances } from "../../../shared/ims/covariance.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { learnBoxes } from "../../../shared/ims/hyperbox.ts";
import { inverseRoot } from "../../../shared/ims/matrix.ts";
import {
  readModelFile,
  sealModel,
  validateModel,
  validateModelBytes,
  writeModelFile,
} from "../../../shared/ims/model-file.ts";
import { createScorer, scoreBatch } from "../../../shared/ims/score.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { seededRandom } from "../../../shared/random.ts";
import { LIMITS, nominalRows, smallModel } from "../../support/models.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const F = FEATURES.length;
const ROWS = nominalRows(600, 3);
/** A row of nominal operation, moved by up to ±20 standard deviations. */
const vectors = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: F, maxLength: F });

describe.each(ModelKind.options)("a model of kind %s", (kind) => {
  const model = smallModel({ kind });
  const scorer = createScorer(model);
  const raw = (z: number[]) =>
    Float64Array.from(z, (value, j) => model.scaler.mean[j]! + value * model.scaler.scale[j]!);

  it("gives contributions that are not negative and sum to 1 where D is not 0", () => {
    fc.assert(
      fc.property(vectors, (z) => {
        const { d, contributions } = scorer.score(raw(z));
        const sum = contributions.reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(d > 0 ? 1 : 0, 9);
        expect(Math.min(...contributions)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("gives the same D and cluster in a batch as one by one", () => {
    const batch = scoreBatch(model, ROWS);
    for (let i = 0; i < batch.d.length; i++) {
      const single = scorer.score(ROWS.subarray(i * F, i * F + F));
      expect(Math.abs(single.d - batch.d[i]!)).toBeLessThanOrEqual(1e-9);
      expect(single.cluster).toBe(batch.cluster[i]);
    }
  });

  const options = { clusters: 4, seed: 1, kind, limits: null, data: "test", created_ms: 0 };
  const trained = (rows: Float64Array) => trainModel(rows, options);

  it("does not depend on the units of the data it learns from", () => {
    const units = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: F, maxLength: F });
    const plain = scoreBatch(trained(ROWS), ROWS).d;
    fc.assert(
      fc.property(units, (unit) => {
        const scaled = ROWS.map((value, i) => value * unit[i % F]!);
        const { d } = scoreBatch(trained(scaled), scaled);
        for (let i = 0; i < d.length; i += 37) expect(d[i]).toBeCloseTo(plain[i]!, 6);
      }),
      { numRuns: 8 },
    );
  });

  it("does not depend on the order of its features", () => {
    const order = fc.shuffledSubarray([...FEATURES.keys()], { minLength: F, maxLength: F });
    fc.assert(
      fc.property(order, vectors, (permutation, z) => {
        const at = <T>(values: readonly T[]) => permutation.map((j) => values[j]!);
        const { covariances, boxes } = model;
        const permuted = createScorer({
          ...model,
          features: at(model.features),
          scaler: { mean: at(model.scaler.mean), scale: at(model.scaler.scale) },
          centers: model.centers.map(at),
          boxes: boxes?.map(({ low, high }) => ({ low: at(low), high: at(high) })),
          covariances: covariances?.map((matrix) => at(matrix).map(at)),
        });
        const x = raw(z);
        const one = scorer.score(x);
        const other = permuted.score(Float64Array.from(at([...x])));
        expect(other.d).toBeCloseTo(one.d, 6);
        for (const [i, j] of permutation.entries())
          expect(other.contributions[i]).toBeCloseTo(one.contributions[j]!, 6);
      }),
    );
  });

  it("bounds how much D rises from one vector to another", () => {
    fc.assert(
      fc.property(vectors, vectors, (from, to) => {
        const rise = scorer.score(raw(to)).d - scorer.score(raw(from)).d;
        expect(rise).toBeLessThanOrEqual(scorer.riseAtMost(raw(from), raw(to)) + 1e-9);
      }),
    );
  });

  it("gives most of the contributions to the feature that deviates", () => {
    for (let j = 0; j < F; j++) {
      const z = new Array<number>(F).fill(0);
      z[j] = 15;
      const { contributions } = scorer.score(raw(z));
      expect(contributions.indexOf(Math.max(...contributions))).toBe(j);
      expect(contributions[j]).toBeGreaterThan(0.5);
    }
  });

  it("lets about the stated share of unseen nominal rows pass", () => {
    const { d } = scoreBatch(model, nominalRows(4_000, 99));
    expect(d.filter((value) => value >= model.tau_fast).length / 4_000).toBeLessThan(0.09);
  });

  it("trains to the same bits from the same seed and data", () => {
    expect(smallModel({ kind })).toEqual(model);
  });

  it("round-trips through its file", () => {
    const path = `${temporaryFolder()}/model.json`;
    writeModelFile(path, model);
    expect(readModelFile(path)).toEqual({ ok: true, value: model });
  });

  it("with any part of its file changed is refused or means the same", () => {
    const text = JSON.stringify(model);
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, patch) => {
        const damaged = Buffer.from(bytes);
        damaged.set(patch.subarray(0, damaged.length - at), at);
        const result = validateModelBytes(damaged);
        if (result.ok) expect(result.value).toEqual(model);
        else expect(result.rejections.length).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
  });

  it("with any field replaced by arbitrary JSON is refused, never an exception", () => {
    const fields = fc.constantFrom(...Object.keys(model));
    fc.assert(
      fc.property(fields, fc.jsonValue(), (field, value) => {
        const changed = { ...model, [field]: value };
        fc.pre(JSON.stringify(changed) !== JSON.stringify(model));
        expect(validateModelBytes(Buffer.from(JSON.stringify(changed))).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it("with any field replaced and the hash made to fit never crashes the reader or the scorer", () => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(0),
      fc.maxSafeInteger(),
    );
    const fields = fc.constantFrom("scaler", "centers", "boxes", "covariances", "square_moments", "golden");
    fc.assert(
      fc.property(fields, fc.nat(500), numbers, (field, skip, replacement) => {
        let left = skip;
        const { sha256: _, ...content } = model;
        const text = JSON.stringify({ ...content, [field]: content[field as keyof typeof content] ?? null });
        const changed = JSON.parse(text, (_, value) =>
          typeof value === "number" && left-- === 0 ? replacement : value,
        );
        const result = validateModel(sealModel(changed));
        if (result.ok) createScorer(result.value).score(raw(new Array<number>(F).fill(1)));
        else expect(result.rejections.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a hyperbox model", () => {
  const model = smallModel({ kind: "hyperbox" });
  const scorer = createScorer(model);
  const { mean, scale } = model.scaler;

  it("has D = 0 everywhere inside its boxes, and the distance to the face outside", () => {
    const where = fc.array(fc.double({ min: 0.001, max: 0.999, noNaN: true }), {
      minLength: F,
      maxLength: F,
    });
    fc.assert(
      fc.property(fc.nat(model.boxes!.length - 1), where, (b, share) => {
        const { low, high } = model.boxes![b]!;
        const inside = share.map((s, j) => (low[j]! + s * (high[j]! - low[j]!)) * scale[j]! + mean[j]!);
        expect(scorer.score(Float64Array.from(inside)).d).toBe(0);
      }),
    );
    const top = Math.max(...model.boxes!.map(({ high }) => high[0]!));
    const box = model.boxes!.find(({ high }) => high[0] === top)!;
    const beyond = box.high.map((edge, j) => (j === 0 ? edge + 5 : (edge + box.low[j]!) / 2));
    const verdict = scorer.score(Float64Array.from(beyond, (z, j) => z * scale[j]! + mean[j]!));
    expect(verdict.d).toBeCloseTo(5, 9);
    expect(verdict.contributions[0]).toBeCloseTo(1, 9);
  });

  it("knows every row it has learnt", () => {
    const boxes = learnBoxes(Float64Array.of(0, 0, 0.5, 0.2, 5, 5, 5.4, 5.1), 2, { init: 0.1, expand: 1 });
    expect(boxes.sizes).toEqual([2, 2]);
    expect([...boxes.low]).toEqual([-0.1, -0.1, 4.9, 4.9]);
    expect([...boxes.high]).toEqual([0.5, 0.2, 5.4, 5.1]);
  });
});

describe("a Mahalanobis model", () => {
  it("sees a row that breaks a correlation, where Euclidean distance does not", () => {
    const random = seededRandom(5);
    const pairs = new Float64Array(2_000);
    for (let i = 0; i < 1_000; i++) {
      const common = random.normal();
      pairs[2 * i] = common + 0.05 * random.normal();
      pairs[2 * i + 1] = common + 0.05 * random.normal();
    }
    const options = { clusters: 1, seed: 1, limits: null, data: "test", created_ms: 0, features: ["a", "b"] };
    const broken = Float64Array.of(1.2, -1.2);
    const euclidean = trainModel(pairs, { ...options, kind: "kmeans" });
    const aware = trainModel(pairs, { ...options, kind: "mahalanobis" });
    expect(createScorer(euclidean).score(broken).d).toBeLessThan(euclidean.tau_fast);
    const verdict = createScorer(aware).score(broken);
    expect(verdict.d).toBeGreaterThan(5 * aware.tau_persist);
    expect(verdict.contributions[0]).toBeCloseTo(0.5, 1);
  });

  it("survives exactly collinear features", () => {
    const z = Float64Array.from({ length: 3_000 }, (_, i) => Math.sin(Math.floor(i / 3)) * ((i % 3) + 1));
    const [covariance] = shrunkCovariances(z, new Float64Array(3), 3);
    expect(inverseRoot(covariance!, 3)).not.toBeNull();
  });

  it("is refused where a covariance is not positive definite", () => {
    const model = smallModel({ kind: "mahalanobis" });
    const covariances = model.covariances!.map((matrix) => matrix.map((row) => row.map((value) => -value)));
    expect(() => createScorer({ ...model, covariances })).toThrow(/covariances/);
  });

  it("has roots that invert: W M W = 1", () => {
    const [covariance] = shrunkCovariances(ROWS.slice(0, 400 * F), new Float64Array(F), F);
    const root = inverseRoot(covariance!, F)!;
    for (let i = 0; i < F; i++) {
      for (let j = 0; j < F; j++) {
        let sum = 0;
        for (let a = 0; a < F; a++)
          for (let b = 0; b < F; b++) sum += root[i * F + a]! * covariance![a * F + b]! * root[b * F + j]!;
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 6);
      }
    }
  });
});

describe("a model of another kind", () => {
  it("keeps the nominal filter and the described thresholds", () => {
    const hot = nominalRows(1_000, 4).map((value, i) => (i % F === 0 && i < 100 * F ? 29 : value));
    const options = { clusters: 4, seed: 1, limits: LIMITS, data: "test", created_ms: 0 };
    const model = trainModel(hot, { ...options, kind: "mahalanobis" });
    expect(model.training.nominal_rows).toBe(900);
    expect(model.threshold).toEqual({ method: "percentile", fast: 0.95, persist: 0.98 });
    expect(model.distributions.anomalous!.count).toBe(100);
  });
});
