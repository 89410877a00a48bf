import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assemble } from "../../../shared/ims/kernel/assemble.ts";
import { type NearestProblem, nearestRows, nearestRowsPlain } from "../../../shared/ims/kernel/nearest.ts";
import { NEAREST_WASM_BASE64 } from "../../../shared/ims/kernel/nearest-wasm.ts";
import { seededRandom } from "../../../shared/random.ts";

function problem(features: number, k: number, seed: number): NearestProblem {
  const random = seededRandom(seed);
  const values = (count: number, low: number, high: number) =>
    Float64Array.from({ length: count }, () => random.range(low, high));
  return {
    mean: values(features, -100, 100),
    inverse_scale: values(features, 0.01, 10),
    centers: values(k * features, -3, 3),
  };
}

function run(kernel: typeof nearestRows, p: NearestProblem, x: Float64Array) {
  const rows = x.length / p.mean.length;
  const label = new Int32Array(rows);
  const d2 = new Float64Array(rows);
  const sums = new Float64Array(p.centers.length);
  kernel(p, x, label, d2, sums);
  return { label, d2, sums };
}

describe("the WebAssembly kernel", () => {
  it("is what its source assembles to", async () => {
    const wat = readFileSync(new URL("../../../shared/ims/kernel/nearest.wat", import.meta.url), "utf8");
    expect(Buffer.from(await assemble(wat)).toString("base64")).toBe(NEAREST_WASM_BASE64);
  });

  it("gives the same bits as its plain twin, whatever the number of rows, features and centres", () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 5_000 }),
      features: fc.integer({ min: 1, max: 33 }),
      k: fc.integer({ min: 1, max: 40 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(sizes, ({ rows, features, k, seed }) => {
        const p = problem(features, k, seed);
        const random = seededRandom(seed + 1);
        const x = Float64Array.from({ length: rows * features }, () => random.range(-200, 200));
        expect(run(nearestRows, p, x)).toEqual(run(nearestRowsPlain, p, x));
      }),
      { numRuns: 60 },
    );
  });

  it("prefers the lower index of two equally near centres", () => {
    const p = {
      mean: Float64Array.of(0),
      inverse_scale: Float64Array.of(1),
      centers: Float64Array.of(1, -1),
    };
    expect([...run(nearestRows, p, Float64Array.of(0, 2, -2)).label]).toEqual([0, 0, 1]);
  });

  it("leaves a model that is too large for its memory to the plain twin", () => {
    const p = problem(10, 60_000, 1);
    const x = new Float64Array(20).fill(5);
    expect(run(nearestRows, p, x)).toEqual(run(nearestRowsPlain, p, x));
  });
});
