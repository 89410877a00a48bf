import { describe, expect, it } from "vitest";
import { readInParts, refuseCrowd } from "../../../aggregator/store/in-parts.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const T0 = Date.UTC(2026, 0, 1);

describe("a time range that is read in parts", () => {
  it("is read at once where it is short", async () => {
    const reads: number[][] = [];
    const span = { from_ms: T0, to_ms: T0 + 60 * MINUTE_MS, step_ms: MINUTE_MS };
    await readInParts(span, 72, (from_ms, last_ms) => {
      reads.push([from_ms, last_ms]);
      return [];
    });
    expect(reads).toEqual([[T0, T0 + 60 * MINUTE_MS - 1]]);
  });

  it("is read whole and once, in parts that end where steps do, with turns in between", async () => {
    const span = { from_ms: T0 + 90_000, to_ms: T0 + 2 * DAY_MS, step_ms: 7 * MINUTE_MS };
    const reads: [number, number][] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const found = await readInParts(span, 72, (from_ms, last_ms) => {
      reads.push([from_ms, last_ms]);
      return [from_ms];
    });
    clearInterval(timer);
    expect(found).toEqual(reads.map(([from_ms]) => from_ms));
    expect(reads[0]![0]).toBe(span.from_ms);
    expect(reads.at(-1)![1]).toBe(span.to_ms - 1);
    for (const [i, [from_ms]] of reads.slice(1).entries()) {
      expect(from_ms).toBe(reads[i]![1] + 1);
      expect(from_ms % span.step_ms).toBe(0);
      expect((from_ms - reads[i]![0]) / MINUTE_MS).toBeLessThanOrEqual(10_000 / 72);
    }
    expect(turns).toBeGreaterThan(0);
  });

  it("waits for the one before it, also where that one fails", async () => {
    const span = { from_ms: T0, to_ms: T0 + 2 * DAY_MS, step_ms: MINUTE_MS };
    const order: string[] = [];
    const reading = (name: string, fails = false) =>
      readInParts(span, 72, () => {
        if (order.at(-1) !== name) order.push(name);
        if (fails) throw new Error("no disk");
        return [];
      });
    const [first, second, third] = [reading("first"), reading("second", true), reading("third")];
    await expect(second).rejects.toThrow("no disk");
    await Promise.all([first, third]);
    expect(order).toEqual(["first", "second", "third"]);
  });

  it("is refused to anybody while many wait; short ones are not", async () => {
    const span = { from_ms: T0, to_ms: T0 + 2 * DAY_MS, step_ms: MINUTE_MS };
    const refuse = (to_ms = span.to_ms) => refuseCrowd({ ...span, to_ms }, 72);
    const readings = Array.from({ length: 8 }, () => {
      refuse();
      return readInParts(span, 72, () => []);
    });
    expect(() => refuse()).toThrow(/8 long time ranges/);
    expect(() => refuse(T0 + MINUTE_MS)).not.toThrow();
    await Promise.all(readings);
    expect(() => refuse()).not.toThrow();
  });
});
