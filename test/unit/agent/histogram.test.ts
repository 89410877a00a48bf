import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Buckets, bucketQuantile, histogramWindow } from "../../../agent/devices/histogram.ts";

const INF = Number.POSITIVE_INFINITY;
const buckets = (...pairs: [number, number][]): Buckets => new Map(pairs);

describe("a quantile of buckets", () => {
  it("is interpolated within the bucket where it falls", () => {
    const half = buckets([0.1, 50], [0.2, 100], [INF, 100]);
    expect(bucketQuantile(0.5, half)).toBeCloseTo(0.1, 12);
    expect(bucketQuantile(0.95, half)).toBeCloseTo(0.19, 12);
    expect(bucketQuantile(0.25, half)).toBeCloseTo(0.05, 12);
  });

  it("beyond the last bound is that bound", () => {
    expect(bucketQuantile(0.95, buckets([0.1, 10], [0.2, 20], [INF, 100]))).toBe(0.2);
  });

  it("in a first bucket that ends at or below zero is its bound", () => {
    expect(bucketQuantile(0.5, buckets([-1, 10], [0, 10], [INF, 10]))).toBe(-1);
  });

  it("is unknown without observations, or without an open bucket", () => {
    expect(bucketQuantile(0.95, buckets([0.1, 0], [INF, 0]))).toBeNaN();
    expect(bucketQuantile(0.95, buckets([0.1, 5], [0.2, 9]))).toBeNaN();
    expect(bucketQuantile(0.95, buckets([INF, 9]))).toBeNaN();
    expect(bucketQuantile(0.95, new Map())).toBeNaN();
  });

  it("bears a sum that goes back a little between two buckets", () => {
    const summed = buckets([0.1, 50], [0.2, 49], [0.4, 100], [INF, 100]);
    expect(bucketQuantile(0.6, summed)).toBeCloseTo(0.24, 12);
  });

  it("lies in the bucket of the true quantile, for any observations", () => {
    const bounds = [0.01, 0.05, 0.1, 0.5, 1, 5];
    const observation = fc.double({ min: 0.0001, max: 4.9, noNaN: true });
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 200 }), (seen) => {
        const counted = new Map(
          [...bounds, INF].map((bound) => [bound, seen.filter((v) => v <= bound).length] as const),
        );
        const found = bucketQuantile(0.95, counted);
        const sorted = seen.toSorted((a, b) => a - b);
        const truth = sorted[Math.ceil(0.95 * sorted.length - 1e-9) - 1]!;
        const upper = bounds.find((bound) => truth <= bound)!;
        const lower = bounds[bounds.indexOf(upper) - 1] ?? 0;
        expect(found).toBeGreaterThanOrEqual(lower);
        expect(found).toBeLessThanOrEqual(upper);
      }),
    );
  });
});

describe("the window of a histogram", () => {
  const one = (...pairs: [number, number][]) => new Map([["a", buckets(...pairs)]]);

  it("counts what came in since it is looked at, and forgets what is older than the window", () => {
    const window = histogramWindow(60_000);
    expect([...window(0, one([1, 1_000], [INF, 2_000])).values()]).toEqual([]);
    expect(window(30_000, one([1, 1_010], [INF, 2_010]))).toEqual(buckets([1, 10], [INF, 10]));
    expect(window(60_000, one([1, 1_010], [INF, 2_015]))).toEqual(buckets([1, 10], [INF, 15]));
    expect(window(90_000, one([1, 1_010], [INF, 2_015]))).toEqual(buckets([1, 0], [INF, 5]));
    expect(window(120_000, one([1, 1_010], [INF, 2_015]))).toEqual(buckets([1, 0], [INF, 0]));
  });

  it("takes all that a restarted server counts as new", () => {
    const window = histogramWindow(60_000);
    window(0, one([1, 100], [INF, 200]));
    expect(window(10_000, one([1, 3], [INF, 4]))).toEqual(buckets([1, 3], [INF, 4]));
  });

  it("adds up several servers, and one that joins later from then on", () => {
    const window = histogramWindow(60_000);
    window(0, one([1, 10], [INF, 10]));
    const two = (a: number, b: number) =>
      new Map([
        ["a", buckets([1, a], [INF, a])],
        ["b", buckets([1, b], [INF, b])],
      ]);
    expect(window(10_000, two(11, 500))).toEqual(buckets([1, 1], [INF, 1]));
    expect(window(20_000, two(12, 503))).toEqual(buckets([1, 5], [INF, 5]));
  });

  it("does not count what came in while nobody looked for longer than the window", () => {
    const window = histogramWindow(60_000);
    window(0, one([1, 10], [INF, 10]));
    window(30_000, new Map());
    expect([...window(61_000, one([1, 900], [INF, 900])).values()]).toEqual([]);
    expect(window(62_000, one([1, 901], [INF, 901]))).toEqual(buckets([1, 1], [INF, 1]));
  });
});
