import { describe, expect, it } from "vitest";
import { newCounters } from "../../../aggregator/counters.ts";
import { createRejections } from "../../../aggregator/ingest/rejections.ts";
import { reject } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { virtualClock } from "../../../shared/time.ts";

function setUp() {
  const lines: { source: string; suppressed: number }[] = [];
  const published: [topic: string, message: object][] = [];
  const counters = newCounters();
  const real = virtualClock();
  const rejections = createRejections({
    site: "dc1",
    clock: virtualClock(Date.UTC(2026, 0, 1)),
    log: { warn: (line: { source: string; suppressed: number }) => lines.push(line) } as unknown as Log,
    counters,
    events: { publish: () => {}, subscribe: () => () => {}, since: () => [] },
    publish: (topic, message) => published.push([topic, message]),
    real_ms: real.now,
  });
  return { lines, published, counters, real, rejections };
}

const wrong = [
  reject("SKADI_INVALID_FIELD", { field: "inlet_c" }),
  reject("SKADI_INVALID_FIELD", { field: "ts" }),
];

describe("rejections", () => {
  it("are counted by payload and code, however many fields were wrong", () => {
    const { counters, rejections } = setUp();
    rejections.record("R-A-01", "telemetry", wrong);
    expect(counters).toMatchObject({ rejected_total: 1, rejected: { SKADI_INVALID_FIELD: 1 } });
  });

  it("are acknowledged on the rack's topic, of unknown racks too, but not of names that are none", () => {
    const { published, rejections } = setUp();
    rejections.refuse("R-Z-99", "telemetry", wrong);
    rejections.refuse("nonsense", "telemetry", wrong);
    expect(published).toEqual([
      ["skadi/v1/dc1/R-Z-99/ack", expect.objectContaining({ of: "telemetry", ok: false, errors: wrong })],
    ]);
  });

  it("of acknowledgements are never acknowledged", () => {
    const { published, rejections } = setUp();
    rejections.refuse("R-A-01", "ack", wrong);
    expect(published).toEqual([]);
  });

  it("of one source are logged once in ten seconds, with the number left out", () => {
    const { lines, counters, real, rejections } = setUp();
    for (let i = 0; i < 1_000; i++) rejections.record("R-A-01", "telemetry", wrong);
    rejections.record("R-A-02", "telemetry", wrong);
    real.advance(10_000);
    rejections.record("R-A-01", "telemetry", wrong);
    expect(lines.map(({ source, suppressed }) => [source, suppressed])).toEqual([
      ["R-A-01", 0],
      ["R-A-02", 0],
      ["R-A-01", 999],
    ]);
    expect(counters.rejected_total).toBe(1_002);
  });

  it("of ever new names share one budget of lines", () => {
    const { lines, rejections } = setUp();
    for (let i = 0; i < 5_000; i++) rejections.record(`name-${i}`, "telemetry", wrong);
    expect(lines.length).toBeLessThanOrEqual(1_001);
  });
});
