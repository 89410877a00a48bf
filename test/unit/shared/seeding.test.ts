import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spreadCenters } from "../../../shared/ims/seeding.ts";
import { seededRandom } from "../../../shared/random.ts";

const FEATURES = 2;

function rowsOf(z: Float64Array): string[] {
  return Array.from({ length: z.length / FEATURES }, (_, i) =>
    z.slice(i * FEATURES, (i + 1) * FEATURES).join(),
  );
}

describe("the first centres of k-means", () => {
  it("are rows, and differ where enough rows differ", () => {
    const points = fc.uniqueArray(
      fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })),
      {
        minLength: 1,
        maxLength: 60,
        selector: String,
      },
    );
    fc.assert(
      fc.property(points, fc.nat(), (rows, seed) => {
        const z = Float64Array.from(rows.flat());
        const k = Math.ceil(rows.length / 2);
        const centers = rowsOf(spreadCenters(z, FEATURES, k, seededRandom(seed)));
        expect(new Set(centers).size).toBe(k);
        for (const center of centers) expect(rowsOf(z)).toContain(center);
      }),
    );
  });

  it("lie in different groups where the rows form as many groups", () => {
    const random = seededRandom(1);
    const groups = [0, 100, 200, 300];
    const z = Float64Array.from(
      { length: 400 * FEATURES },
      (_, i) => groups[(i >> 1) % 4]! + random.uniform(),
    );
    for (let seed = 0; seed < 20; seed++) {
      const centers = spreadCenters(z, FEATURES, 4, seededRandom(seed));
      const found = [0, 2, 4, 6].map((at) => Math.floor(centers[at]! / 100)).sort();
      expect(found).toEqual([0, 1, 2, 3]);
    }
  });

  it("are as many as asked for, even of equal rows", () => {
    const z = new Float64Array(20).fill(7);
    expect([...spreadCenters(z, FEATURES, 3, seededRandom(1))]).toEqual(new Array(6).fill(7));
  });

  it("are the same for the same seed", () => {
    const random = seededRandom(2);
    const z = Float64Array.from({ length: 1_000 }, random.normal);
    const draw = () => spreadCenters(z, FEATURES, 8, seededRandom(9));
    expect(draw()).toEqual(draw());
  });
});
