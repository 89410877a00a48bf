import { describe, expect, it } from "vitest";
import { rateLimit } from "../../../agent/uplink/rate.ts";
import { foldScores, foldTelemetry, leadingRun } from "../../../agent/uplink/roll-up.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { sampleAt, scoreAt } from "./outbox-messages.ts";

const samples = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => sampleAt(from + i));

describe("samples rolled up into one", () => {
  it("are a valid sample: means over time, sums of energy and interval, seq and ts of the last", () => {
    const folded = foldTelemetry([
      sampleAt(1, { inlet_c: 20 }),
      sampleAt(2, { inlet_c: 24, interval_s: 15, gpu_energy_j: 84_000 }),
    ]);
    expect(TelemetrySample.parse(folded)).toEqual(folded);
    const { ts } = sampleAt(2);
    expect(folded).toMatchObject({ seq: 2, ts, inlet_c: 23, interval_s: 20, gpu_energy_j: 112_000 });
  });

  it("leave out what was doubted or missing where anything better is there, and say so where nothing is", () => {
    const doubted = sampleAt(1, { inlet_c: 90, quality: { ...sampleAt(1).quality, inlet_c: "suspect" } });
    const missing = sampleAt(2, { inlet_c: null });
    expect(foldTelemetry([doubted, missing, sampleAt(3)])).toMatchObject({
      inlet_c: 22.5,
      quality: { inlet_c: "good" },
    });
    expect(foldTelemetry([doubted, missing])).toMatchObject({ inlet_c: 90, quality: { inlet_c: "suspect" } });
    expect(foldTelemetry([missing, missing])).toMatchObject({
      inlet_c: null,
      quality: { inlet_c: "missing" },
    });
  });

  it("are of one bucket, without a gap, and wait until the bucket is complete", () => {
    expect(leadingRun(samples(12, 23), 0)).toBe(0);
    expect(leadingRun(samples(12, 24), 0)).toBe(12);
    expect(leadingRun([sampleAt(12), sampleAt(13), sampleAt(20)], 0)).toBe(2);
    expect(leadingRun([sampleAt(12), sampleAt(13, { gpu_energy_j: null })], 0)).toBe(1);
  });
});

it("scores rolled up into one are the worst of them, at the sample that theirs became", () => {
  const scores = [scoreAt(1, 1), scoreAt(2, 3), scoreAt(3, 2)];
  expect(foldScores(scores, sampleAt(3))).toMatchObject({ d: 3, seq: 3, ts: sampleAt(3).ts });
  expect(foldScores(scores, null)).toMatchObject({ d: 3, seq: 2 });
});

it("a rate limit lets a quarter of a second's worth through at once, then so many per second", () => {
  let now_ms = 0;
  const limit = rateLimit(100, () => now_ms);
  let passed = 0;
  for (; now_ms < 10_000; now_ms++) while (limit.take()) passed++;
  expect(passed).toBeGreaterThanOrEqual(1_000);
  expect(passed).toBeLessThanOrEqual(1_025);
  expect(limit.wait_ms()).toBeGreaterThan(0);
  now_ms += 3_600_000;
  expect(limit.wait_ms()).toBe(0);
});
