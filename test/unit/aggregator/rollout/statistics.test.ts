import { describe, expect, it } from "vitest";
import {
  fisherTail,
  normalQuantile,
  stabilityIndex,
  studentQuantile,
} from "../../../../aggregator/models/rollout/statistics.ts";

describe("statistics of the gates, against published tables", () => {
  it.each([
    [0.5, 0],
    [0.975, 1.959964],
    [0.99, 2.326348],
    [0.01, -2.326348],
    [0.999, 3.090232],
  ])("the normal quantile of %f is %f", (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 5);
  });

  it.each([
    [0.99, 3, 4.541],
    [0.99, 10, 2.764],
    [0.995, 5, 4.032],
    [0.999, 5, 5.893],
    [0.99, 67, 2.383],
  ])("Student's quantile of %f with %i degrees of freedom is %f within 3 %", (p, df, t) => {
    expect(Math.abs(studentQuantile(p, df) / t - 1)).toBeLessThan(0.03);
  });

  it("Fisher's exact test is that of the lady who tastes tea: all of four cups right by chance, or three at least", () => {
    expect(fisherTail(4, 4, 4, 8)).toBeCloseTo(1 / 70, 12);
    expect(fisherTail(3, 4, 4, 8)).toBeCloseTo(17 / 70, 12);
    expect(fisherTail(0, 4, 4, 8)).toBeCloseTo(1, 12);
  });

  it("the stability index is 0 for the same shares, and about 0.25 where a tenth of 0.9 moves to each side", () => {
    expect(stabilityIndex([100, 100], [1_000, 1_000])).toBeCloseTo(0, 4);
    expect(stabilityIndex([10_000, 0], [5_000, 5_000])).toBeGreaterThan(4);
    expect(stabilityIndex([500, 500], [740, 260])).toBeCloseTo(0.24 * Math.log(740 / 260), 2);
  });
});
