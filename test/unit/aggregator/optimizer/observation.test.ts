import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { eventBus } from "../../../../aggregator/events.ts";
import { createFleet } from "../../../../aggregator/fleet.ts";
import { createOptimizer, type OptimizerContext } from "../../../../aggregator/optimizer/optimizer.ts";
import { openSqliteStore } from "../../../../aggregator/store/sqlite/sqlite-store.ts";
import { AggregatorConfig } from "../../../../shared/contracts/config.ts";
import { TelemetrySample } from "../../../../shared/contracts/telemetry.ts";
import { createLog } from "../../../../shared/log.ts";
import { isoTime, virtualClock } from "../../../../shared/time.ts";
import { NOMINAL_SAMPLE } from "../../../support/readings.ts";
import { quickFolder } from "../../../support/temporary.ts";

const DAY_MS = 86_400_000;

/** An optimizer that only watches, and racks whose samples a test gives it as ingest would: in order. */
function watchedHall() {
  const clock = virtualClock(Date.UTC(2026, 0, 15));
  const log = createLog("test", "silent");
  const config = AggregatorConfig.parse({});
  const store = openSqliteStore(join(quickFolder(), "store.db"), { flush_ms: 60_000, log });
  const fleet = createFleet({ rows: ["A"], racks_per_row: 2 }, store);
  const context = {
    ...{ config, solve: null, clock, log, fleet, store, events: eventBus(store, clock) },
    rollout: { scorer: () => null, scorerOf: () => null },
    mode: { get: () => ({ mode: "advisory", kill_switch: false }), of: () => "advisory" },
    actions: {
      setpoints: { value: () => null, changedMs: () => Number.NEGATIVE_INFINITY },
      inForce: () => [],
      unanswered: () => [],
    },
    quarantine: { has: () => false },
    simulator: { status: () => null, setSupply() {} },
  };
  const optimizer = createOptimizer(context as unknown as OptimizerContext);
  optimizer.start();
  onTestFinished(() => {
    optimizer.stop();
    store.close();
  });
  let seq = 0;
  return {
    /** Both racks report every 5 s; the second one's clock is off by so much. */
    run(seconds: number, off_ms: number) {
      for (let s = 0; s < seconds; s += 5) {
        clock.advance(5_000);
        for (const [i, rack] of fleet.racks.entries()) {
          const ts_ms = clock.now() + (i === 1 ? off_ms : 0);
          const about = { v: 1, ts: isoTime(ts_ms), rack_id: rack.rack_id, seq: ++seq, interval_s: 5 };
          rack.sample = TelemetrySample.parse({ ...about, ...NOMINAL_SAMPLE });
          rack.ts_ms = ts_ms;
          rack.received_ms = clock.now();
        }
      }
    },
    learning: () => optimizer.tick().prediction.racks,
  };
}

it("a rack whose clock was a day ahead once is watched on when it is set back", () => {
  const hall = watchedHall();
  hall.run(30, DAY_MS);
  hall.run(600, 0);
  expect(hall.learning()).toBe(2);
});

it("a rack whose clock was right once is watched on when it is wrong", () => {
  const hall = watchedHall();
  hall.run(30, 0);
  hall.run(600, -DAY_MS);
  expect(hall.learning()).toBe(2);
});
