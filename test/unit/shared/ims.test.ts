import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { isNominal } from "../../../shared/ims/nominal.ts";
import {
  createScorer,
  levelOf,
  scoreBatch,
  scoreTelemetry,
  topContributions,
} from "../../../shared/ims/score.ts";
import { moments, quantile, upperSorted } from "../../../shared/ims/statistics.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { LIMITS, nominalRows, smallModel } from "../../support/models.ts";

const F = FEATURES.length;
const model = smallModel();
const scorer = createScorer(model);
const ROW = [...nominalRows(1, 9)];

/** A feature vector, near nominal or far off. */
const vectors = fc
  .array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: F, maxLength: F })
  .map((z) => Float64Array.from(z, (value, j) => model.scaler.mean[j]! + value * model.scaler.scale[j]!));

describe("D(x)", () => {
  it("is 0 at a cluster's centre", () => {
    const centre = Float64Array.from(
      model.centers[2]!,
      (z, j) => z * model.scaler.scale[j]! + model.scaler.mean[j]!,
    );
    const verdict = scorer.score(centre);
    expect(verdict.cluster).toBe(2);
    expect(verdict.d).toBeLessThan(1e-9);
  });

  it("is the smallest of the distances to all centres, in standard deviations", () => {
    fc.assert(
      fc.property(vectors, (x) => {
        const distances = model.centers.map((centre) =>
          Math.hypot(...centre.map((c, j) => (x[j]! - model.scaler.mean[j]!) / model.scaler.scale[j]! - c)),
        );
        const { d, cluster } = scorer.score(x);
        expect(d).toBeCloseTo(Math.min(...distances), 9);
        expect(distances[cluster]).toBeCloseTo(d, 9);
      }),
    );
  });

  it("comes with contributions that sum to 1", () => {
    fc.assert(
      fc.property(vectors, (x) => {
        const { d, contributions } = scorer.score(x);
        const sum = contributions.reduce((a, b) => a + b, 0);
        if (d > 0) expect(sum).toBeCloseTo(1, 9);
        for (const share of contributions) expect(share).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("is the same in a batch as one by one", () => {
    const rows = nominalRows(500, 5);
    const batch = scoreBatch(model, rows);
    for (let i = 0; i < 500; i++) {
      const single = scorer.score(rows.subarray(i * F, i * F + F));
      expect(single.d).toBe(batch.d[i]);
      expect(single.cluster).toBe(batch.cluster[i]);
    }
  });

  it("does not depend on the features' units", () => {
    fc.assert(
      fc.property(
        vectors,
        fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: F, maxLength: F }),
        (x, unit) => {
          const scaler = {
            mean: model.scaler.mean.map((m, j) => m * unit[j]!),
            scale: model.scaler.scale.map((s, j) => s * unit[j]!),
          };
          const other = createScorer({ ...model, scaler });
          expect(other.score(x.map((value, j) => value * unit[j]!)).d).toBeCloseTo(scorer.score(x).d, 6);
        },
      ),
    );
  });

  it("is still defined when features are missing, and names them", () => {
    const complete = scorer.score(Float64Array.from(ROW));
    const partial = scorer.score(Float64Array.from(ROW, (value, j) => (j === 3 ? Number.NaN : value)));
    expect(partial.missing).toBe(1);
    expect(partial.d).toBeGreaterThan(0);
    expect(partial.d).toBeLessThan(complete.d * 2 + 1);
    expect(scorer.score(new Float64Array(F).fill(Number.NaN)).d).toBeNaN();
  });

  it("lies among the thresholds as the levels say", () => {
    const thresholds = { tau_fast: 2, tau_persist: 2.5 };
    expect([1.99, 2, 2.49, 2.5].map((d) => levelOf(d, thresholds))).toEqual([
      "nominal",
      "fast",
      "fast",
      "persist",
    ]);
  });
});

describe("a scored telemetry sample", () => {
  const sample = TelemetrySample.parse({
    ts: "2026-01-01T00:00:00Z",
    rack_id: "R-C-07",
    inlet_c: 27.9,
    outlet_c: 48,
    pdu_kw: null,
    gpu_energy_j: 39_200,
    tokens_ps: 8_500,
    latency_p95_ms: 185,
    queue_depth: 37,
    fan_rpm_pct: 65,
    pump_rpm_pct: 57,
  });

  it("carries its reasons and what was missing", () => {
    const score = scoreTelemetry(scorer, sample, "agent");
    expect(score).toMatchObject({
      rack_id: "R-C-07",
      missing: ["pdu_kw"],
      state: "persist",
      model_id: model.id,
    });
    const [first] = topContributions(score!.contributions, 1);
    expect(["inlet_c", "outlet_c", "delta_t"]).toContain(first!.feature);
  });
});

describe("training", () => {
  it("gives the same model for the same seed and data, to the last bit", () => {
    expect(smallModel()).toEqual(model);
  });

  it("puts the thresholds at p95 and p98 of the nominal distances", () => {
    const rows = nominalRows(2_000, 1);
    const sorted = scoreBatch(model, rows).d.toSorted();
    expect(model.tau_fast).toBe(quantile(sorted, 0.95));
    expect(model.tau_persist).toBe(quantile(sorted, 0.98));
    expect(model.training.mean_d2).toBeCloseTo(sorted.reduce((a, d) => a + d * d, 0) / sorted.length, 9);
  });

  it("keeps hot, slow, idle and overloaded rows out of the nominal data", () => {
    const at = (changes: Partial<Record<(typeof FEATURES)[number], number>>) =>
      isNominal(
        Float64Array.from(ROW, (value, j) => changes[FEATURES[j]!] ?? value),
        0,
        LIMITS,
      );
    expect(at({})).toBe(true);
    expect(at({ inlet_c: 28 })).toBe(true);
    for (const changes of [
      { inlet_c: 28.01 },
      { latency_p95_ms: 250.1 },
      { delta_t: 0 },
      { pdu_kw: 2 },
      { pdu_kw: 11.4 },
      { queue_depth: Number.NaN },
    ]) {
      expect(at(changes)).toBe(false);
    }
  });

  const train = (rows: Float64Array): ModelFile =>
    trainModel(rows, { clusters: 4, seed: 1, limits: LIMITS, data: "test", created_ms: 0 });

  it("refuses too little data, saying how much is needed", () => {
    expect(() => train(nominalRows(199, 1))).toThrow(/199 nominal of 199 rows.*≥ 200 nominal rows/);
  });

  it("refuses a feature that never changes, by name", () => {
    const rows = nominalRows(400, 1);
    for (let i = 0; i < 400; i++) rows[i * F + 8] = 65;
    expect(() => train(rows)).toThrow(/fan_rpm_pct.*changes/);
  });
});

describe("statistics", () => {
  it("interpolates quantiles as numpy does", () => {
    const values = Float64Array.of(1, 2, 3, 4);
    expect([0, 0.25, 0.5, 0.95, 1].map((q) => quantile(values, q))).toEqual([
      1, 1.75, 2.5, 3.8499999999999996, 4,
    ]);
  });

  it("sorts no more than what lies above a quantile, and gives the same quantiles there", () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
      minLength: 1,
      maxLength: 20_000,
    });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, from) => {
        const all = Float64Array.from(list);
        const upper = upperSorted(all, from);
        for (const q of [from, (from + 1) / 2, 1])
          expect(quantile(upper, q)).toBe(quantile(all.toSorted(), q));
      }),
    );
  });

  it("loses no digits to a large offset", () => {
    const { mean, std } = moments(Float64Array.of(1e9 + 1, 1e9 + 2, 1e9 + 3));
    expect(mean).toBe(1e9 + 2);
    expect(std).toBeCloseTo(Math.sqrt(2 / 3), 12);
  });
});
