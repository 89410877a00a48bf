import { describe, expect, it } from "vitest";
import { errorGate } from "../../../../aggregator/models/rollout/gates.ts";
import { racksOf, rowNames } from "../../../../shared/contracts/rack.ts";
import { NEW, noisySite, rollOut, rolloutConfig } from "../../../support/rollout-site.ts";

const RACKS = racksOf(rowNames(3), 8);
/** Makes 10 % of the scores alarm where it were 5 %. */
const DOUBLED = 1.091;
const site = (seed: number, options: Partial<Parameters<typeof noisySite>[0]> = {}) =>
  noisySite({ seed, rows: 3, per_row: 8, ...options });
const seeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("the gates, on racks whose D has a memory of minutes and a site that moves over the day", () => {
  it("let a model pass that alarms as often as the one before (10 seeds; docs/model-updates.md has 200)", () => {
    const ends = seeds(10).map((seed) => rollOut(site(seed), RACKS).state);
    expect(ends.filter((state) => state === "completed").length).toBeGreaterThanOrEqual(9);
  }, 120_000);

  it("halt a model that doubles the alarms, at the canary (10 seeds)", () => {
    const ends = seeds(10).map((seed) => rollOut(site(seed, { ratio: DOUBLED }), RACKS));
    const at_canary = ends.filter(
      ({ state, waves }) => state === "rolled_back" && waves[0]!.state === "failed",
    );
    expect(at_canary.length).toBeGreaterThanOrEqual(8);
  }, 120_000);

  it("do not blame the model for one rack of the canary that breaks down", () => {
    const breaks = (
      rack_id: string,
      { rollout }: Parameters<NonNullable<Parameters<typeof noisySite>[0]["fault"]>>[1],
    ) => rollout !== null && rollout.waves[0]!.racks[0] === rack_id;
    const ends = seeds(5).map((seed) => rollOut(site(seed, { fault: breaks }), RACKS));
    expect(ends.map(({ waves }) => waves[0]!.state)).toEqual(Array(5).fill("passed"));
  }, 120_000);

  it("do not blame the model for what happens to the whole site", () => {
    const surge = (_: string, { rollout }: { rollout: unknown }) => rollout !== null;
    const ends = seeds(3).map((seed) => rollOut(site(seed, { fault: surge }), RACKS));
    expect(ends.map(({ waves }) => waves[0]!.state)).toEqual(Array(3).fill("passed"));
  }, 120_000);
});

describe("the gate on agents", () => {
  const gates = rolloutConfig().gates;
  const errors = { racks: 20, refused: 0, silent: 0, lost: 0, others_offline: 0 };

  it("puts up with one rack, or a tenth", () => {
    expect(errorGate({ ...errors, racks: 4, refused: 1 }, gates).ok).toBe(true);
    expect(errorGate({ ...errors, racks: 4, refused: 1, silent: 1 }, gates).ok).toBe(false);
    expect(errorGate({ ...errors, lost: 2 }, gates)).toMatchObject({ ok: true, value: 2, limit: 2 });
    expect(errorGate({ ...errors, lost: 3 }, gates).ok).toBe(false);
  });

  it("but never with everybody", () => {
    expect(errorGate({ ...errors, racks: 1, refused: 1 }, gates).ok).toBe(false);
  });

  it("counts racks that are lost only beyond the share of the others", () => {
    expect(errorGate({ ...errors, lost: 10, others_offline: 0.5 }, gates)).toMatchObject({
      ok: true,
      value: 0,
    });
  });
});

it("the new model's id is the one that is rolled out", () => {
  expect(rollOut(site(1), RACKS, 0).model).toEqual(NEW);
});
