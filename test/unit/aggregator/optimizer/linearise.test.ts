import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convexPieces } from "../../../../aggregator/optimizer/linearise.ts";
import { createLp, createSolver } from "../../../../aggregator/optimizer/lp.ts";

const solve = await createSolver();

describe("a cost curve as convex pieces", () => {
  it("follows a convex curve exactly at its points", () => {
    const cube = (x: number) => ((60 + x) / 100) ** 3;
    const points = [-5, -2.5, 0, 2.5, 5].map((x) => [x, cube(x)] as const);
    let value = cube(-5);
    for (const [k, { width, cost }] of convexPieces(points).entries()) {
      value += width * cost;
      expect(value).toBeCloseTo(points[k + 1]![1], 12);
    }
  });

  it("is convex, spans the points and never lies above one of them, whatever they are", () => {
    const values = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(values, (costs) => {
        const pieces = convexPieces(costs.map((cost, x) => [x, cost] as const));
        let x = 0;
        let y = costs[0]!;
        for (const [k, { width, cost }] of pieces.entries()) {
          if (k > 0) expect(cost).toBeGreaterThanOrEqual(pieces[k - 1]!.cost - 1e-9);
          for (let at = x; at <= x + width; at++)
            expect(y + (at - x) * cost).toBeLessThanOrEqual(costs[at]! + 1e-9);
          x += width;
          y += width * cost;
        }
        expect(x).toBe(costs.length - 1);
      }),
    );
  });
});

describe("the solver", () => {
  it("fills cheaper pieces first and keeps to the rows", () => {
    const lp = createLp();
    const cheap = lp.column(-3, 0, 2);
    const dear = lp.column(-1, 0, 10);
    lp.row(Number.NEGATIVE_INFINITY, 5, [
      [cheap, 1],
      [dear, 1],
    ]);
    const { status, values, objective } = solve(lp, 1);
    expect(status).toBe("optimal");
    expect([values[cheap], values[dear]]).toEqual([2, 3]);
    expect(objective).toBeCloseTo(-9, 9);
  });

  it("says when nothing can satisfy the rows, and solves the next program all the same", () => {
    const impossible = createLp();
    const x = impossible.column(1, 0, 1);
    impossible.row(2, 3, [[x, 1]]);
    expect(solve(impossible, 1).status).toBe("infeasible");
    const easy = createLp();
    easy.column(1, -4, 4);
    expect(solve(easy, 1).values[0]).toBe(-4);
  });
});
