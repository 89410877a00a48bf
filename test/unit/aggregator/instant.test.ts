import { describe, expect, it } from "vitest";
import { instantMs, withinKept } from "../../../aggregator/api/instant.ts";
import { durationOption, instantOption } from "../../../aggregator/cli/moments.ts";

describe("an instant in a query or an option", () => {
  it.each([
    ["2026", Date.UTC(2026, 0, 1)],
    ["2026-02", Date.UTC(2026, 1, 1)],
    ["2026-02-03", Date.UTC(2026, 1, 3)],
    ["2026-02-03T04:05Z", Date.UTC(2026, 1, 3, 4, 5)],
    ["2026-02-03T04:05:06.789+02:00", Date.UTC(2026, 1, 3, 2, 5, 6, 789)],
    ["2026-02-03T04:05:06", new Date(2026, 1, 3, 4, 5, 6).getTime()],
    ["2026-02-03 04:05", new Date(2026, 1, 3, 4, 5).getTime()],
    ["2000-01-01T00:00:00Z", 946_684_800_000],
    ["946684800000", 946_684_800_000],
    ["1767225600000", Date.UTC(2026, 0, 1)],
    ["2199-12-31T23:59:59Z", Date.UTC(2199, 11, 31, 23, 59, 59)],
  ])("%s is ISO 8601 or milliseconds since the epoch", (text, ms) => {
    expect(instantMs(text)).toBe(ms);
  });

  it.each([
    "",
    "0",
    "-1",
    "20260203",
    "1767225600",
    "8640000000000000",
    "1999-12-31T23:59:59Z",
    "2200-01-01",
    "-271821-04-20",
    "+012026-01-01",
    "2026-13-01",
    "2026-02-30",
    "2026-02-03T25:00Z",
    "2026-02T04:05Z",
    "2026-02-03T04:05 02:00",
    "3 Feb 2026",
    "now",
  ])("%s is none", (text) => {
    expect(instantMs(text)).toBeNaN();
    expect(() => instantOption(text)).toThrow(/ISO 8601.*epoch.*2000 to 2199/);
  });
});

describe("a duration in an option", () => {
  it("is a number with its unit, of ten years at most", () => {
    expect(["90s", "1.5h", "3650d"].map(durationOption)).toEqual([90_000, 5_400_000, 315_360_000_000]);
  });

  it.each(["", "2", "2w", "-1h", "3651d", "800000d", "99999999999d"])("%s is refused", (text) => {
    expect(() => durationOption(text)).toThrow(/90s, 30m, 2h or 1d, at most 3650d/);
  });
});

describe("a span that is asked for", () => {
  const NOW = Date.UTC(2026, 0, 1);
  const DAY_MS = 86_400_000;
  const span = (from_ms: number, to_ms: number) => withinKept({ from_ms, to_ms }, NOW, 400 * DAY_MS);

  it("is left as it is within what is kept", () => {
    expect(span(NOW - 1_000, NOW)).toEqual({ from_ms: NOW - 1_000, to_ms: NOW });
  });

  it("ends where nothing is kept any more, or nothing can be yet", () => {
    expect(span(Date.UTC(2000, 0, 1), Date.UTC(2199, 0, 1))).toEqual({
      from_ms: NOW - 400 * DAY_MS,
      to_ms: NOW + DAY_MS,
    });
    expect(span(Date.UTC(2001, 0, 1), Date.UTC(2002, 0, 1))).toEqual({
      from_ms: NOW - 400 * DAY_MS,
      to_ms: NOW - 400 * DAY_MS,
    });
  });
});
