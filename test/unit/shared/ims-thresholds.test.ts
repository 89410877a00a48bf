import { describe, expect, it } from "vitest";
import type { ThresholdRule } from "../../../shared/contracts/model.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { createScorer, scoreBatch, scoreTelemetry } from "../../../shared/ims/score.ts";
import { quantile } from "../../../shared/ims/statistics.ts";
import { fitTail, tailQuantile } from "../../../shared/ims/tail.ts";
import { fitThresholds, thresholdsAt } from "../../../shared/ims/thresholds.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { type Random, seededRandom } from "../../../shared/random.ts";
import { nominalRows, smallModel } from "../../support/models.ts";
import { NOMINAL_READING } from "../../support/readings.ts";

const F = FEATURES.length;

function sorted(count: number, draw: (random: Random) => number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: count }, () => draw(random)).sort();
}

const exponential = (random: Random) => -Math.log(1 - random.uniform());
const chi = (random: Random) => Math.hypot(...Array.from({ length: 8 }, () => random.normal()));

describe("a generalized Pareto tail", () => {
  it("finds the shape and scale of an exponential tail", () => {
    const { shape, scale, share } = fitTail(sorted(20_000, exponential, 1));
    expect(shape).toBeCloseTo(0, 1);
    expect(scale).toBeCloseTo(1, 1);
    expect(share).toBeCloseTo(0.1, 9);
  });

  it.each([
    ["exponential", exponential, Math.log(1000)],
    ["χ of 8 features", chi, 5.1104],
  ])("extrapolates the 1e-3 quantile of an %s from 400 values to within 15 %%", (_, draw, expected) => {
    const estimates = Array.from({ length: 40 }, (_, seed) => {
      const values = sorted(400, draw, seed);
      return tailQuantile(values, fitTail(values), 1e-3);
    });
    const mean = estimates.reduce((a, b) => a + b) / estimates.length;
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.15);
  });

  it("agrees with the data where the rate lies within them", () => {
    const values = sorted(5_000, chi, 2);
    expect(tailQuantile(values, fitTail(values), 0.02)).toBeCloseTo(quantile(values, 0.98), 1);
    expect(tailQuantile(values, fitTail(values), 0.3)).toBe(quantile(values, 0.7));
  });

  it("begins above the point mass at D = 0 that boxes have", () => {
    const outside = sorted(200, exponential, 4);
    const values = new Float64Array(10_000);
    values.set(outside, values.length - outside.length);
    const tail = fitTail(values);
    expect([tail.start, tail.share]).toEqual([0, 0.02]);
    expect(tailQuantile(values, tail, 1e-3)).toBeCloseTo(-Math.log(1e-3 / 0.02), 0);
    expect(tailQuantile(new Float64Array(50), fitTail(new Float64Array(50)), 1e-3)).toBe(0);
  });

  it("of equal values is no tail, and no NaN", () => {
    const values = new Float64Array(50).fill(2);
    expect(tailQuantile(values, fitTail(values), 1e-4)).toBe(2);
  });
});

const RULES: ThresholdRule[] = [
  { method: "percentile", fast: 0.95, persist: 0.98 },
  { method: "per_cluster", fast: 0.95, persist: 0.98 },
  { method: "tail", fast_rate: 0.01, persist_rate: 1e-4 },
  { method: "margin", fast: 1, persist: 1.5 },
];

describe.each(RULES)("thresholds by $method", (rule) => {
  it("are positive and in order, whatever the distances", () => {
    for (const d of [sorted(400, chi, 3), new Float64Array(400), new Float64Array(400).fill(7)]) {
      const { tau_fast, tau_persist } = fitThresholds(rule, d, new Int32Array(400), 1);
      expect(tau_fast).toBeGreaterThan(0);
      expect(tau_persist).toBeGreaterThan(tau_fast);
    }
  });
});

describe("the tail's stated rate", () => {
  it("is about what unseen nominal rows show", () => {
    const options = { clusters: 4, seed: 1, limits: null, data: "test", created_ms: 0 };
    const rule: ThresholdRule = { method: "tail", fast_rate: 0.01, persist_rate: 0.002 };
    const model = trainModel(nominalRows(4_000, 1), { ...options, threshold: rule, cross_fit: true });
    const { d } = scoreBatch(model, nominalRows(20_000, 2));
    const rate = (tau: number) => d.filter((value) => value >= tau).length / d.length;
    expect(rate(model.tau_fast)).toBeGreaterThan(0.005);
    expect(rate(model.tau_fast)).toBeLessThan(0.02);
    expect(rate(model.tau_persist)).toBeLessThan(0.004);
  });
});

describe("per-cluster thresholds", () => {
  /** A tight regime and a wide one, far apart. */
  const rows = nominalRows(2_000, 6).map((value, i) => {
    const centre = [22.5, 35.5, 13, 8, 5.6, 8500, 185, 37, 65, 57][i % F]!;
    return Math.floor(i / F) % 2 === 0 ? centre + 0.1 * (value - centre) : 1.5 * value;
  });
  const options = { clusters: 2, seed: 1, limits: null, data: "test", created_ms: 0 };
  const model = trainModel(rows, {
    ...options,
    threshold: { method: "per_cluster", fast: 0.95, persist: 0.98 },
  });

  it("let the same share of each cluster pass", () => {
    const { d, cluster } = scoreBatch(model, rows);
    for (const c of [0, 1]) {
      const own = d.filter((_, i) => cluster[i] === c);
      const above = own.filter((value) => value >= thresholdsAt(model, c).tau_fast).length / own.length;
      expect(above).toBeCloseTo(0.05, 2);
    }
  });

  it("are those of the nearest cluster in the score message", () => {
    const sample = TelemetrySample.parse({
      ts: "2026-01-01T00:00:00Z",
      rack_id: "R-C-07",
      ...NOMINAL_READING,
    });
    const score = scoreTelemetry(createScorer(model), sample, "agent")!;
    const { tau_fast, tau_persist } = thresholdsAt(model, score.cluster);
    expect([score.tau_fast, score.tau_persist]).toEqual([tau_fast, tau_persist]);
    expect(score.tau_fast).not.toBe(model.tau_fast);
  });

  it("are the global ones where a file has none", () => {
    const plain = smallModel();
    const { tau_fast, tau_persist } = thresholdsAt(plain, 3);
    expect([tau_fast, tau_persist]).toEqual([plain.tau_fast, plain.tau_persist]);
  });
});
