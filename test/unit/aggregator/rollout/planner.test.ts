import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planWaves } from "../../../../aggregator/models/rollout/planner.ts";
import { racksOf, rowNames, rowOf } from "../../../../shared/contracts/rack.ts";
import { rolloutConfig } from "../../../support/rollout-site.ts";

const calm = (racks: readonly string[]) => racks.map((rack_id) => ({ rack_id, troubled: false }));
const SITE = racksOf(rowNames(6), 12);
const config = rolloutConfig();

describe("the plan of a rollout", () => {
  it("takes 5 % of 72 racks as the canary, each of another row, then up to 25 %, 50 % and everybody", () => {
    const waves = planWaves(calm(SITE), config, "r1");
    expect(waves.map((wave) => wave.length)).toEqual([4, 14, 18, 36]);
    expect(new Set(waves[0]!.map(rowOf)).size).toBe(4);
    expect(new Set(waves[1]!.map(rowOf)).size).toBe(6);
  });

  it("is the same for the same rollout, and another one for the next", () => {
    expect(planWaves(calm(SITE), config, "r1")).toEqual(planWaves(calm([...SITE].reverse()), config, "r1"));
    expect(planWaves(calm(SITE), config, "r2")[0]).not.toEqual(planWaves(calm(SITE), config, "r1")[0]);
  });

  it("puts racks that are offline or in an incident last, and into no canary that can do without", () => {
    const troubled = new Set(SITE.filter((rack_id) => Number(rack_id.slice(-2)) > 2));
    const racks = SITE.map((rack_id) => ({ rack_id, troubled: troubled.has(rack_id) }));
    const waves = planWaves(racks, config, "r1");
    expect(waves[0]!.filter((rack_id) => troubled.has(rack_id))).toEqual([]);
    expect(waves.at(-1)!.every((rack_id) => troubled.has(rack_id))).toBe(true);
  });

  it("gives every rack one part and leaves a rack of every row that has more than one out of the canary", () => {
    const sites = fc.record({
      rows: fc.integer({ min: 1, max: 8 }),
      per_row: fc.integer({ min: 1, max: 12 }),
      seed: fc.string(),
      canary_share: fc.double({ min: 0.01, max: 1, noNaN: true }),
      troubled: fc.func(fc.boolean()),
    });
    fc.assert(
      fc.property(sites, ({ rows, per_row, seed, canary_share, troubled }) => {
        const racks = racksOf(rowNames(rows), per_row);
        const plan = racks.map((rack_id) => ({ rack_id, troubled: troubled(rack_id) }));
        const waves = planWaves(plan, rolloutConfig({ canary_share }), seed);
        expect(waves.flat().sort()).toEqual([...racks].sort());
        expect(waves.every((wave) => wave.length > 0)).toBe(true);
        const canary = new Set(waves[0]);
        for (const row of per_row > 1 ? rowNames(rows) : [])
          expect(racks.some((rack_id) => rowOf(rack_id) === row && !canary.has(rack_id))).toBe(true);
      }),
    );
  });
});
