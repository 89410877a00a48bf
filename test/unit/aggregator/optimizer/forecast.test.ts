import { describe, expect, it } from "vitest";
import { createLoadForecast } from "../../../../aggregator/optimizer/forecast.ts";

const MIDNIGHT = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const daily = (at_ms: number) => 6_000 - 3_000 * Math.cos((2 * Math.PI * (at_ms - MIDNIGHT)) / 86_400_000);

describe("a rack's expected load", () => {
  it("is unknown before anything was seen", () => {
    expect(createLoadForecast().expected(MIDNIGHT, 600)).toBeNull();
  });

  it("goes on with the recent trend on the first day, and follows the day's curve on the second", () => {
    const forecast = createLoadForecast();
    const six = MIDNIGHT + 6 * 3_600_000;
    for (let t = MIDNIGHT; t <= six; t += MINUTE_MS) forecast.observe(t, daily(t));
    expect(forecast.expected(six, 1_200)).toBeGreaterThan(daily(six));
    for (let t = six + MINUTE_MS; t <= six + 86_400_000; t += MINUTE_MS) forecast.observe(t, daily(t));
    const next_day = six + 86_400_000;
    const expected = forecast.expected(next_day, 3_600)!;
    expect(Math.abs(expected - daily(next_day + 3_600_000))).toBeLessThan(150);
  });

  it("scales the curve to the level of today", () => {
    const forecast = createLoadForecast();
    for (let t = MIDNIGHT; t < MIDNIGHT + 86_400_000; t += MINUTE_MS) forecast.observe(t, daily(t));
    const morning = MIDNIGHT + 86_400_000 + 6 * 3_600_000;
    for (let t = MIDNIGHT + 86_400_000; t <= morning; t += MINUTE_MS) forecast.observe(t, 1.3 * daily(t));
    const expected = forecast.expected(morning, 3_600)!;
    expect(expected / (1.3 * daily(morning + 3_600_000))).toBeCloseTo(1, 1);
  });

  it("never multiplies the present load beyond reason, whatever the curve says", () => {
    const forecast = createLoadForecast();
    for (let t = MIDNIGHT; t < MIDNIGHT + 86_400_000; t += MINUTE_MS) {
      forecast.observe(t, t < MIDNIGHT + 43_200_000 ? 100 : 10_000);
    }
    const noon = MIDNIGHT + 86_400_000 + 43_000_000;
    forecast.observe(noon, 100);
    expect(forecast.expected(noon, 1_200)).toBeLessThan(10_000);
  });
});
