import { describe, expect, it } from "vitest";
import { conditionOf, type MmsFilter, nextFilter } from "../../../aggregator/mms/filter.ts";

const settings = { ema_alpha: 0.3, ticks: 6 };
const tau = { tau_fast: 2, tau_persist: 2.5 };

function run(d_values: readonly number[], start: MmsFilter | null = null): MmsFilter[] {
  const history: MmsFilter[] = [];
  let filter = start;
  for (const d of d_values) {
    filter = nextFilter(filter, { d, ...tau }, settings);
    history.push(filter);
  }
  return history;
}

const times = (n: number, d: number) => Array<number>(n).fill(d);

describe("the MMS filter", () => {
  it("starts at the first D and smooths with weight 0.3", () => {
    const [first, second] = run([1, 2]);
    expect(first?.ema).toBe(1);
    expect(second?.ema).toBeCloseTo(0.3 * 2 + 0.7 * 1, 12);
  });

  it("turns persistent at the 6th consecutive average above tau_persist, not before", () => {
    const states = run(times(6, 3)).map((filter) => filter.state);
    expect(states).toEqual([...Array(5).fill("transient"), "persistent"]);
  });

  it("does not count an average that merely equals tau_persist", () => {
    expect(run(times(20, 2.5)).at(-1)).toMatchObject({ state: "transient", above: 0 });
  });

  it("forgets the count when a single average falls back", () => {
    const history = run([...times(5, 3), 0, ...times(5, 3)]);
    expect(history.every((filter) => filter.state === "transient")).toBe(true);
  });

  it("lets a lone spike pass: five minutes of heat are a matter of averages, one sample is not", () => {
    expect(run([1, 1, 9, 1, 1, 1, 1, 1, 1, 1]).every((filter) => filter.state === "transient")).toBe(true);
  });

  it("returns to transient only after 6 consecutive averages below tau_fast", () => {
    const hot = run(times(6, 3)).at(-1) ?? null;
    const states = run(times(12, 1), hot).map((filter) => filter.state);
    const first_calm = states.indexOf("transient");
    const emas = run(times(12, 1), hot).map((filter) => filter.ema);
    const below = emas.findIndex((ema) => ema < tau.tau_fast);
    expect(first_calm).toBe(below + 5);
  });

  it("stays persistent between the thresholds, however long", () => {
    const hot = run(times(6, 3)).at(-1) ?? null;
    expect(run(times(100, 2.2), hot).at(-1)?.state).toBe("persistent");
  });
});

describe("how a rack is shown", () => {
  const calm = run([1]).at(-1) ?? null;
  const hot = run(times(6, 3)).at(-1) ?? null;
  it.each([
    ["persistent, whatever its D", hot, { d: 1, tau_fast: 2 }, "persistent"],
    ["transient from tau_fast on", calm, { d: 2, tau_fast: 2 }, "transient"],
    ["nominal below it", calm, { d: 1.99, tau_fast: 2 }, "nominal"],
    ["unknown without a score", null, null, "unknown"],
  ])("%s", (_what, filter, score, shown) => {
    expect(conditionOf(filter, score)).toBe(shown);
  });
});
