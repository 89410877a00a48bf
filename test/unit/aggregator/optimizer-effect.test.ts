import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { measureEffect } from "../../../aggregator/optimizer/effect.ts";
import { judgeResponse } from "../../../aggregator/optimizer/response.ts";
import { seededRandom } from "../../../shared/random.ts";

const CHANGE = 30;
const LENGTH = 37;
const noisy = (seed: number, std: number, level: (t: number) => number) => {
  const random = seededRandom(seed);
  return Array.from({ length: LENGTH }, (_, t) => level(t) + std * random.normal());
};

describe("the effect of a change on one rack", () => {
  it("is what happened to it beyond what happened to its neighbours", () => {
    const weather = (t: number) => 22 + 0.1 * t;
    const own = Array.from({ length: LENGTH }, (_, t) => weather(t) + (t > CHANGE ? 0.7 : 0));
    const controls = [0, 1, 2].map((k) => Array.from({ length: LENGTH }, (_, t) => weather(t) + k));
    const found = measureEffect(own, controls, CHANGE, 0.5);
    expect(found?.effect).toBeCloseTo(0.7, 9);
    expect(found?.minutes).toBe(LENGTH - CHANGE - 1);
  });

  it("grows with the jump alone, whatever level and common course the row has", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.integer(),
        (jump, trend, seed) => {
          const rack = (k: number, add: number) =>
            noisy(seed + k, 0.1, (t) => 20 + k + trend * t + (t > CHANGE ? add : 0));
          const controls = [1, 2, 3].map((k) => rack(k, 0));
          const effect = (add: number) => measureEffect(rack(0, add), controls, CHANGE, 1)!.effect;
          expect(effect(jump) - effect(0)).toBeCloseTo(jump, 9);
        },
      ),
    );
  });

  it("is within four standard errors in all but a handful of a thousand rows without a change", () => {
    let outside = 0;
    for (let seed = 0; seed < 1_000; seed++) {
      const rack = (k: number) => noisy(20 * seed + k, 1, () => 20);
      const found = measureEffect(rack(0), [1, 2, 3, 4].map(rack), CHANGE, 1)!;
      if (Math.abs(found.effect) > 4 * found.std_error) outside++;
    }
    expect(outside).toBeLessThanOrEqual(3);
  });

  it("is judged by the given scatter where the time before is short", () => {
    const found = measureEffect([20, 20, 20, 21], [], 2, 0.5);
    expect(found).toMatchObject({ effect: 1 });
    expect(found?.std_error).toBeCloseTo(0.5 * Math.sqrt(1 / 2 + 1), 9);
  });

  it("is not told where one side has no value", () => {
    expect(measureEffect([20, 20, null, null], [], 2, 1)).toBeNull();
    expect(measureEffect([null, null, 20, 20], [], 2, 1)).toBeNull();
  });
});

describe("what a fan does after it was asked for a speed", () => {
  const calm = { tokens_ps: noisy(1, 50, () => 8_000), outlet_c: noisy(2, 0.2, () => 36) };
  const speeds = (after: number, before = 66) => noisy(3, 1, (t) => (t > CHANGE ? after : before));
  const judged = (to: number, after: number, changes: object = {}) =>
    judgeResponse({ to, from: null }, { ...calm, speed_pct: speeds(after), ...changes }, CHANGE);

  it.each([
    ["follows", 60, 60],
    ["follows", 75, 75],
    ["opposite", 60, 90],
    ["opposite", 75, 45],
    ["nothing", 60, 66],
    ["nothing", 76, 66],
    ["unclear", 65, 66],
  ])("%s: asked for %i %%, went to %i %% from 66", (response, to, after) => {
    expect(judged(to, after)).toBe(response);
  });

  it("is protection, not disobedience, as far as more load explains the speed", () => {
    const loaded = { tokens_ps: noisy(1, 50, (t) => (t > CHANGE ? 9_000 : 8_000)) };
    expect(judged(60, 74, loaded)).toBe("protecting");
    expect(judged(60, 95, loaded)).toBe("opposite");
    expect(judged(76, 50, loaded)).toBe("opposite");
  });

  it("is protection, too, when what was set too low already is not lowered further", () => {
    const series = { ...calm, speed_pct: speeds(50, 50) };
    expect(judgeResponse({ to: 44, from: 50 }, series, CHANGE)).toBe("protecting");
    expect(judgeResponse({ to: 58, from: 50 }, series, CHANGE)).toBe("nothing");
  });

  it("a device that goes where it is asked is never blamed", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 40, max: 100, noNaN: true }),
        fc.double({ min: 40, max: 100, noNaN: true }),
        fc.integer(),
        (before, to, seed) => {
          const speed_pct = noisy(seed, 1.5, (t) => (t > CHANGE ? to : before));
          const response = judgeResponse({ to, from: null }, { ...calm, speed_pct }, CHANGE);
          expect(["follows", "unclear"]).toContain(response);
        },
      ),
      { numRuns: 500, seed: 5 },
    );
  });
});
