import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localDate, shiftDate, startOfDay } from "../../../../aggregator/schedules/local-day.ts";

const HOUR_MS = 3_600_000;

describe("days of a time zone", () => {
  it.each([
    ["UTC", "2026-03-29", "2026-03-29T00:00:00.000Z", 24],
    ["Europe/Zurich", "2026-03-29", "2026-03-28T23:00:00.000Z", 23],
    ["Europe/Zurich", "2026-10-25", "2026-10-24T22:00:00.000Z", 25],
    ["Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00.000Z", 24],
    ["Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00.000Z", 24],
    // Clocks go forward at midnight: the day begins at one.
    ["America/Santiago", "2026-09-06", "2026-09-06T04:00:00.000Z", 23],
  ])("in %s %s begins at %s and has %i hours", (timezone, date, begins, hours) => {
    const start_ms = startOfDay(date, timezone);
    expect(new Date(start_ms).toISOString()).toBe(begins);
    expect((startOfDay(shiftDate(date, 1), timezone) - start_ms) / HOUR_MS).toBe(hours);
  });

  it("contain every instant: it lies between the beginnings of its date and of the next", () => {
    const zones = fc.constantFrom("UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe");
    const instant = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2035, 0, 1) });
    fc.assert(
      fc.property(zones, instant, (timezone, at_ms) => {
        const date = localDate(at_ms, timezone);
        expect(startOfDay(date, timezone)).toBeLessThanOrEqual(at_ms);
        expect(startOfDay(shiftDate(date, 1), timezone)).toBeGreaterThan(at_ms);
      }),
      { numRuns: 50 },
    );
  });

  it("follow each other over months and leap years", () => {
    expect([shiftDate("2026-03-01", -1), shiftDate("2028-03-01", -1), shiftDate("2026-12-31", 1)]).toEqual([
      "2026-02-28",
      "2028-02-29",
      "2027-01-01",
    ]);
  });
});
