import { describe, expect, it } from "vitest";
import { FEATURES } from "../../../shared/ims/features.ts";
import { completion } from "../../../shared/ims/missing.ts";
import { createScorer, scoreBatch } from "../../../shared/ims/score.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { seededRandom } from "../../../shared/random.ts";
import { nominalRows } from "../../support/models.ts";

const F = FEATURES.length;
const OPTIONS = { clusters: 4, seed: 1, limits: null, data: "test", created_ms: 0 };

/** Correlated, bell-shaped rows: load moves most features together. */
function loadedRows(count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const rows = new Float64Array(count * F);
  for (let i = 0; i < count; i++) {
    const load = random.normal();
    for (let j = 0; j < F; j++) rows[i * F + j] = 100 + 10 * (j + 1) * (0.7 * load + random.normal());
  }
  return rows;
}

describe.each(["kmeans", "mahalanobis"] as const)("D of kind %s with missing features", (kind) => {
  const model = trainModel(loadedRows(6_000, 1), { ...OPTIONS, kind });
  const held_out = loadedRows(4_000, 2);
  const scorer = createScorer(model);
  const alarmRate = (missing: number[]) => {
    let alarms = 0;
    for (let i = 0; i < 4_000; i++) {
      const x = held_out.slice(i * F, i * F + F);
      for (const j of missing) x[j] = Number.NaN;
      const verdict = scorer.score(x);
      expect(verdict.missing).toBe(missing.length);
      if (verdict.d >= model.tau_fast) alarms++;
    }
    return alarms / 4_000;
  };

  it.each([[[]], [[0]], [[3, 7]], [[1, 4, 9]], [[0, 2, 4, 6, 8]], [[1, 2, 3, 5, 6, 7, 8]]])(
    "%j stays near the nominal false-alarm rate of 5 % on unseen rows",
    (missing) => {
      const rate = alarmRate(missing);
      expect(rate).toBeGreaterThan(0.02);
      expect(rate).toBeLessThan(0.085);
    },
  );

  it("gives the missing ones no share, and the others all of it", () => {
    const x = held_out.slice(0, F);
    x[3] = Number.NaN;
    const { contributions } = scorer.score(x);
    expect(contributions[3]).toBe(0);
    expect(contributions.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
  });

  it("is the same in a batch", () => {
    const x = held_out.slice(0, 50 * F);
    x[12 * F + 4] = Number.NaN;
    const { d } = scoreBatch(model, x);
    expect(d[12]).toBe(scorer.score(x.subarray(12 * F, 13 * F)).d);
  });
});

describe("D of boxes with missing features", () => {
  const threshold = { method: "margin", fast: 1.1, persist: 1.5 } as const;
  const model = trainModel(loadedRows(6_000, 1), { ...OPTIONS, kind: "hyperbox", threshold });
  const held_out = loadedRows(20_000, 2);
  const scorer = createScorer(model);
  const squares = (missing: number[]) =>
    Float64Array.from({ length: 20_000 }, (_, i) => {
      const x = held_out.slice(i * F, i * F + F);
      for (const j of missing) x[j] = Number.NaN;
      return scorer.score(x).d ** 2;
    });
  const whole = squares([]);

  it.each([[[0]], [[3, 7]], [[1, 4, 9]], [[0, 2, 4, 6, 8]]])("%j: rows inside stay at 0", (missing) => {
    const partial = squares(missing);
    expect(whole.every((squared, i) => squared > 0 || partial[i] === 0)).toBe(true);
  });

  it("what would be average of the present ones becomes the average of all, measured on rows not learnt from", () => {
    const { square_moments } = model;
    const mean = square_moments!.mean;
    expect(Math.max(...mean)).toBeGreaterThan(0);
    const present = [...mean.keys()].filter((j) => mean[j]! > 0).slice(0, 1);
    const complete = completion("hyperbox", square_moments, present, F);
    expect(complete(mean[present[0]!]!)).toBeCloseTo(
      mean.reduce((a, b) => a + b),
      9,
    );
    expect(complete(0)).toBe(0);
  });
});

describe("a model file of the first release, without moments", () => {
  it("still scores with missing features, scaled by their number", () => {
    const { square_moments: _, ...model } = trainModel(nominalRows(1_000, 1), OPTIONS);
    const x = nominalRows(1, 5);
    x[0] = Number.NaN;
    expect(createScorer(model).score(x).d).toBeGreaterThan(0);
  });
});

describe("trimming", () => {
  const clean = nominalRows(4_000, 1);
  /** Every 25th row far off: scattered, or all in one place. */
  const contaminated = (together: boolean) => {
    const random = seededRandom(8);
    return clean.map((value, i) => {
      if (Math.floor(i / F) % 25 !== 0) return value;
      return value * (together ? 1.8 : 1 + random.range(0.5, 1.5));
    });
  };
  const reference = trainModel(clean, OPTIONS);

  it.each([
    ["scattered", false],
    ["concentrated", true],
  ])("sets %s contamination aside and restores the clean thresholds", (_, together) => {
    const trimmed = trainModel(contaminated(together), { ...OPTIONS, trim_share: 0.06 });
    // All 160 contaminated rows, and what chance puts beyond the limit.
    expect(trimmed.training.trimmed_rows).toBeGreaterThanOrEqual(160);
    expect(trimmed.training.trimmed_rows).toBeLessThanOrEqual(164);
    expect(Math.abs(trimmed.tau_fast / reference.tau_fast - 1)).toBeLessThan(0.05);
    const { d } = scoreBatch(trimmed, nominalRows(2_000, 3));
    expect(d.filter((value) => value >= trimmed.tau_fast).length / 2_000).toBeLessThan(0.09);
  });

  it("takes next to nothing from clean data, and never more than its cap", () => {
    // Chance alone puts about one row in two thousand beyond 3.5 standard deviations.
    const { trimmed_rows } = trainModel(clean, { ...OPTIONS, trim_share: 0.06 }).training;
    expect(trimmed_rows).toBeLessThanOrEqual(0.001 * 4_000);
    expect(trainModel(contaminated(false), { ...OPTIONS, trim_share: 0.01 }).training.trimmed_rows).toBe(40);
  });

  it("is off unless asked for", () => {
    expect(reference.training.trimmed_rows).toBeUndefined();
  });
});
