import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexByChance, stabilityIndex } from "../../../../aggregator/drift/psi.ts";
import { seededRandom } from "../../../../shared/random.ts";

const observed = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 10, maxLength: 10 }),
    fc.integer({ min: 5, max: 5_000 }),
  )
  .filter(([counts]) => counts.some((count) => count > 0))
  .map(([counts, n]) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return { n, shares: counts.map((count) => count / total) };
  });

/** What `n` draws from ten equally likely bins look like. */
function drawn(n: number, random: ReturnType<typeof seededRandom>) {
  const shares = new Array<number>(10).fill(0);
  for (let i = 0; i < n; i++) shares[Math.floor(random.uniform() * 10)]! += 1 / n;
  return { n, shares };
}

describe("the population stability index", () => {
  it("is nothing between equals, and never negative or infinite, not even with empty bins", () => {
    fc.assert(
      fc.property(observed, observed, (a, b) => {
        expect(stabilityIndex(a, a)).toBeCloseTo(0, 12);
        const psi = stabilityIndex(a, b);
        expect(psi).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(psi)).toBe(true);
      }),
    );
  });

  it("is the same in both directions", () => {
    fc.assert(
      fc.property(observed, observed, (a, b) => {
        expect(stabilityIndex(a, b)).toBeCloseTo(stabilityIndex(b, a), 10);
      }),
    );
  });

  it("of a population that moved by a standard deviation is far above what counts as major", () => {
    // Deciles of a normal distribution, and where they lie one standard deviation on.
    const before = { n: 5_000, shares: new Array(10).fill(0.1) };
    const after = {
      n: 5_000,
      shares: [0.011, 0.022, 0.031, 0.041, 0.053, 0.069, 0.089, 0.121, 0.174, 0.389],
    };
    expect(stabilityIndex(before, after)).toBeGreaterThan(0.6);
  });
});

describe("the index by chance", () => {
  it.each([
    [30, 30],
    [96, 96],
    [500, 40],
  ])("is exceeded by samples of one population (%i and %i rows) as rarely as it says", (n, m) => {
    const random = seededRandom(`psi/${n}/${m}`);
    const trials = 2_000;
    let exceeded = 0;
    for (let t = 0; t < trials; t++)
      if (stabilityIndex(drawn(n, random), drawn(m, random)) > indexByChance(n, m, 10, 0.05)) exceeded++;
    expect(exceeded / trials).toBeLessThan(0.07);
    expect(exceeded / trials).toBeGreaterThan(0.01);
  });

  it("falls with the number of rows: a few samples never cry drift, a day's can", () => {
    expect(indexByChance(4, 4, 10, 0.01)).toBeGreaterThan(5);
    expect(indexByChance(5_000, 5_000, 10, 0.01)).toBeLessThan(0.01);
  });

  it("lets a single bin never drift", () => {
    expect(indexByChance(1_000, 1_000, 1, 0.01)).toBe(Number.POSITIVE_INFINITY);
  });
});
