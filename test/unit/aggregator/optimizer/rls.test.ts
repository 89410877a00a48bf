import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRls } from "../../../../aggregator/optimizer/rls.ts";
import { seededRandom } from "../../../../shared/random.ts";

const FREE: [number, number][] = [
  [-1e6, 1e6],
  [-1e6, 1e6],
  [-1e6, 1e6],
];

describe("recursive least squares", () => {
  it("recovers the parameters of any line through noisy measurements", () => {
    const parameter = fc.double({ min: -5, max: 5, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(parameter, parameter, parameter), fc.integer(), (truth, seed) => {
        const random = seededRandom(seed);
        const rls = createRls({ prior: [0, 0, 0], deviation: [10, 10, 10], forgetting: 1, range: FREE });
        for (let n = 0; n < 500; n++) {
          const x = [1, random.range(-2, 2), random.range(-2, 2)];
          const y = x.reduce((sum, value, j) => sum + value * truth[j]!, 0) + 0.1 * random.normal();
          const predicted = x.reduce((sum, value, j) => sum + value * rls.theta[j]!, 0);
          rls.update(x, y - predicted, 0.01);
        }
        for (const [j, value] of truth.entries()) expect(rls.theta[j]).toBeCloseTo(value, 1);
        expect(rls.variance([1, 1, 1])).toBeLessThan(0.001);
      }),
      { numRuns: 50 },
    );
  });

  it("follows a parameter that changes, because the past fades", () => {
    const rls = createRls({ prior: [0], deviation: [10], forgetting: 0.98, range: [[-100, 100]] });
    for (let n = 0; n < 400; n++) rls.update([1], (n < 200 ? 3 : 7) - rls.theta[0]!, 0.01);
    expect(rls.theta[0]).toBeCloseTo(7, 0);
  });

  it("is never less certain than its prior, however long nothing new is seen", () => {
    const rls = createRls({
      prior: [1, 1],
      deviation: [0.5, 0.2],
      forgetting: 0.9,
      range: [
        [0, 2],
        [0, 2],
      ],
    });
    for (let n = 0; n < 1_000; n++) rls.update([1, 0], 0, 0.01);
    expect(rls.variance([0, 1])).toBeLessThanOrEqual(0.2 ** 2 * (1 + 1e-9));
    expect(rls.variance([1, 0])).toBeLessThanOrEqual(0.5 ** 2);
  });

  it("keeps parameters in their ranges, and ignores what is not a number", () => {
    const rls = createRls({ prior: [1], deviation: [10], forgetting: 1, range: [[0, 2]] });
    rls.update([1], 1_000, 0.01);
    expect(rls.theta[0]).toBe(2);
    rls.update([1], Number.NaN, 0.01);
    expect(rls.theta[0]).toBe(2);
  });
});
