import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { referenceRows } from "../../../../aggregator/models/registry/reference.ts";
import { openSqliteStore } from "../../../../aggregator/store/sqlite/sqlite-store.ts";
import { FEATURES } from "../../../../shared/ims/features.ts";
import { createLog } from "../../../../shared/log.ts";
import { isoTime } from "../../../../shared/time.ts";
import { smallModel } from "../../../support/models.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { telemetry } from "../store-suite.ts";

const F = FEATURES.length;
const NOW = Date.UTC(2026, 0, 10);
const HOUR_MS = 3_600_000;
const [a, b] = [smallModel({ seed: 1 }), smallModel({ seed: 2 })];

/** A store with samples of two racks, one per `step_ms` over `span_ms` until now; `queue_depth` counts them. */
function samples(span_ms: number, step_ms: number, changes: object = {}) {
  const store = openSqliteStore(join(temporaryFolder(), "store.db"), {
    flush_ms: 60_000,
    log: createLog("test", "silent"),
  });
  onTestFinished(() => store.close());
  const count = Math.floor(span_ms / step_ms);
  for (const rack_id of ["R-A-01", "R-A-02"]) {
    for (let i = 0; i <= count; i++) {
      const at = { ts: isoTime(NOW - (count - i) * step_ms), queue_depth: i, ...changes };
      store.samples.add(telemetry(rack_id, i, at), { received_ms: NOW, late: false });
    }
  }
  return store.samples;
}

const queueDepths = (stored: Float64Array) =>
  Array.from({ length: stored.length / F }, (_, i) => stored[i * F + FEATURES.indexOf("queue_depth")]!);

describe("the reference set", () => {
  it("has the golden samples of both models, and no stored ones where there are none", () => {
    const { golden, stored } = referenceRows(a, b, samples(-1, 1), { now_ms: NOW, racks: 2 });
    expect([...golden]).toEqual([...a.golden, ...b.golden].flatMap(({ x }) => x));
    expect(stored).toHaveLength(0);
  });

  it("spreads evenly over what a young site has, and takes no sample twice", () => {
    const { stored } = referenceRows(a, b, samples(HOUR_MS, 5_000), { now_ms: NOW, racks: 2 });
    const depths = queueDepths(stored);
    expect(depths).toHaveLength(2 * 96);
    expect(new Set(depths).size).toBe(96);
    expect(Math.min(...depths)).toBeLessThan(20);
    expect(Math.max(...depths)).toBe(720);
  });

  it("of a site of a minute has a sample in 15 s", () => {
    const { stored } = referenceRows(a, b, samples(60_000, 5_000), { now_ms: NOW, racks: 2 });
    expect(queueDepths(stored).sort((p, q) => p - q)).toEqual([3, 3, 6, 6, 9, 9, 12, 12]);
  });

  it("leaves out what is older than a day, and what was not believed", () => {
    const old = samples(30 * HOUR_MS, 5 * 60_000, { quality: { fan_rpm_pct: "suspect" } });
    const { stored } = referenceRows(a, b, old, { now_ms: NOW, racks: 2 });
    expect(Math.min(...queueDepths(stored))).toBeGreaterThanOrEqual(6 * 12);
    const fan = Array.from(stored).filter((_, at) => at % F === FEATURES.indexOf("fan_rpm_pct"));
    expect(fan.length).toBeGreaterThan(0);
    expect(fan.every(Number.isNaN)).toBe(true);
  });
});
