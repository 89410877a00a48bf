import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HEALTH_FIELDS } from "../../../shared/contracts/health.ts";
import { compileRelation, invert, largestResidual, solve } from "../../../shared/ims/relations.ts";

const N = HEALTH_FIELDS.length;
const number = fc.double({ min: -3, max: 3, noNaN: true });
const vector = fc.array(number, { minLength: N, maxLength: N }).map((values) => Float64Array.from(values));

/** A·Aᵀ + I is a covariance. */
const covariance = fc.array(number, { minLength: N * N, maxLength: N * N }).map((a) => {
  const at = (i: number, k: number) => a[i * N + k]!;
  return Array.from({ length: N }, (_, i) =>
    Array.from({ length: N }, (__, j) => {
      let sum = i === j ? 1 : 0;
      for (let k = 0; k < N; k++) sum += at(i, k) * at(j, k);
      return sum;
    }),
  );
});

/** T² of some of the quantities by their own covariance: the definition, without a precision matrix. */
function marginalT2(matrix: number[][], z: Float64Array, keep: number[]): number {
  const part = keep.map((j) => keep.map((k) => matrix[j]![k]!));
  const values = keep.map((j) => z[j]!);
  return solve(part, values).reduce((sum, weight, i) => sum + weight * values[i]!, 0);
}

describe("relations", () => {
  const compiled = (matrix: number[][]) => compileRelation({ precision: invert(matrix), limit: 2, usual: 1 });
  const all = [...HEALTH_FIELDS.keys()];

  it("T² is the Mahalanobis distance, and T² − r² that of all others", () => {
    fc.assert(
      fc.property(covariance, vector, (matrix, z) => {
        const residual = new Float64Array(N);
        const t2 = compiled(matrix).judge(z, residual);
        const whole = marginalT2(matrix, z, all);
        expect(Math.abs(t2 - whole)).toBeLessThan(1e-7 * Math.max(1, whole));
        for (const j of all) {
          const others = marginalT2(
            matrix,
            z,
            all.filter((k) => k !== j),
          );
          expect(Math.abs(t2 - residual[j]! ** 2 - others)).toBeLessThan(1e-7 * Math.max(1, whole));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("what is missing is completed so that it adds nothing, and a prediction does not depend on the value itself", () => {
    fc.assert(
      fc.property(
        covariance,
        vector,
        fc.uniqueArray(fc.nat(N - 1), { minLength: 1, maxLength: N }),
        (matrix, z, gone) => {
          const relation = compiled(matrix);
          const residual = new Float64Array(N);
          const filled = Float64Array.from(z);
          for (const j of gone) filled[j] = Number.NaN;
          relation.complete(filled);
          const t2 = relation.judge(filled, residual);
          const kept = all.filter((j) => !gone.includes(j));
          expect(Math.abs(t2 - marginalT2(matrix, z, kept))).toBeLessThan(1e-6 * Math.max(1, t2));
          const j = gone[0]!;
          const before = relation.predicted(filled, residual, j);
          filled[j]! += 5;
          relation.judge(filled, residual);
          expect(relation.predicted(filled, residual, j)).toBeCloseTo(before, 6);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("the largest residual is found by its size, whatever its sign", () => {
    expect(largestResidual(Float64Array.from([1, -4, 3]))).toBe(1);
  });
});
