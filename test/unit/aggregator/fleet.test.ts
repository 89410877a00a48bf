import { join } from "node:path";
import { expect, it } from "vitest";
import { createFleet } from "../../../aggregator/fleet.ts";
import { nextSlowD, slowDOf } from "../../../aggregator/ingest/slow-d.ts";
import { openSqliteStore } from "../../../aggregator/store/sqlite/sqlite-store.ts";
import type { Score } from "../../../shared/contracts/score.ts";
import { createLog } from "../../../shared/log.ts";
import { isoTime } from "../../../shared/time.ts";
import { quickFolder } from "../../support/temporary.ts";
import { telemetry } from "./store-suite.ts";

const T0 = Date.UTC(2026, 0, 15);
const log = createLog("test", "silent");

it("a rack's slow D is after a restart what it was before, whatever its last scores were", () => {
  const store = openSqliteStore(join(quickFolder(), "store.db"), { flush_ms: 60_000, log });
  let d_slow: number | null = null;
  let before: Score | null = null;
  for (let seq = 1; seq <= 200; seq++) {
    const ts = isoTime(T0 + seq * 5_000);
    const score: Score = {
      ...{ v: 1, ts, rack_id: "R-A-01", seq, d: seq > 196 ? 4 : 1, tau_fast: 2, tau_persist: 3, cluster: 0 },
      ...{ contributions: {}, missing: [], model_id: "m", state: "nominal", scored_by: "agent" },
    };
    store.samples.add({ ...telemetry("R-A-01", seq), ts }, { received_ms: T0, late: false });
    store.samples.attachScore(score, { state: "transient", ema: score.d, above: 0, below: 0 });
    d_slow = nextSlowD(d_slow, before, score);
    before = score;
  }
  const [scored, unknown] = createFleet({ rows: ["A"], racks_per_row: 2 }, store).racks;
  expect(d_slow).toBeCloseTo(1.34, 2);
  expect(scored!.d_slow).toBeCloseTo(d_slow!, 2);
  expect(unknown!.d_slow).toBeNull();
  store.close();
});

it("the slow D goes over to another model's scale", () => {
  const score = (d: number, tau_fast: number) => ({ d, tau_fast, model_id: `of ${tau_fast}` });
  expect(slowDOf([])).toBeNull();
  expect(slowDOf([score(1, 2), score(1, 2), score(3, 6)])).toBeCloseTo(3, 9);
});
