import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reportPeriod, stepsOf } from "../../../../aggregator/report/period.ts";

const NOW = Date.UTC(2026, 0, 2, 12);
const HOUR_MS = 3_600_000;

describe("the period of a report", () => {
  it("is the last 24 hours, in steps of 5 minutes, unless told otherwise", () => {
    const period = { from_ms: NOW - 24 * HOUR_MS, to_ms: NOW, step_ms: 300_000, live: true };
    expect(reportPeriod({}, NOW)).toEqual(period);
  });

  it("with an end in the past is the 24 hours before it, and no longer live", () => {
    const to_ms = NOW - HOUR_MS;
    expect(reportPeriod({ to_ms }, NOW)).toMatchObject({ from_ms: to_ms - 24 * HOUR_MS, live: false });
  });

  it.each([
    ["empty", NOW, NOW],
    ["backwards", NOW + 1, NOW],
    ["longer than 31 days", NOW - 32 * 24 * HOUR_MS, NOW],
  ])("is refused where it is %s", (_, from_ms, to_ms) => {
    expect(() => reportPeriod({ from_ms, to_ms }, NOW)).toThrow(/field from;.*31 days/);
  });

  it("is covered by its steps, of which there are never more than a picture can show", () => {
    const length_ms = fc.integer({ min: 1, max: 31 * 24 * HOUR_MS });
    fc.assert(
      fc.property(length_ms, fc.integer({ min: 0, max: NOW }), (length, from_ms) => {
        const period = reportPeriod({ from_ms, to_ms: from_ms + length }, NOW);
        const steps = stepsOf(period);
        expect(steps.length).toBeLessThanOrEqual(301);
        expect(steps[0]).toBeLessThanOrEqual(from_ms);
        expect(steps.at(-1)! + period.step_ms).toBeGreaterThanOrEqual(from_ms + length);
        expect(steps.at(-1)).toBeLessThan(from_ms + length);
      }),
    );
  });
});
