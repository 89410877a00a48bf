import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { trackSetpoints } from "../../../aggregator/actions/setpoints.ts";
import { createFleet } from "../../../aggregator/fleet.ts";
import { INTERVAL_MS } from "../../../aggregator/savings/interval.ts";
import { energyLedger } from "../../../aggregator/savings/ledger.ts";
import { isPaused } from "../../../aggregator/savings/switchback.ts";
import { openSqliteStore } from "../../../aggregator/store/sqlite/sqlite-store.ts";
import type { Action } from "../../../shared/contracts/action.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import { createLog } from "../../../shared/log.ts";
import { isoTime, virtualClock } from "../../../shared/time.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { telemetry } from "./store-suite.ts";

const START_MS = Date.UTC(2026, 0, 15);
const RACKS = ["R-A-01", "R-A-02"];
const HOUR_MS = 3_600_000;

/** A ledger over a real store; `runTo` lets every rack report once a minute until then. */
function ledgerFrom(start_ms = START_MS) {
  const log = createLog("test", "silent");
  const clock = virtualClock(start_ms);
  const store = openSqliteStore(join(temporaryFolder(), "store.db"), { flush_ms: 60_000, log });
  onTestFinished(() => store.close());
  const fleet = createFleet({ rows: ["A"], racks_per_row: 2 }, store);
  const setpoints = trackSetpoints([]);
  const config = AggregatorConfig.parse({}).savings;
  const actions = { setpoints } as Parameters<typeof energyLedger>[0]["actions"];
  const ledger = energyLedger({ config, clock, log, store, fleet, actions });
  ledger.start();
  let seq = 0;
  return {
    ...{ clock, store, ledger },
    runTo(end_ms: number, tokens_ps: (ms: number) => number = () => 8_000) {
      for (; clock.now() < end_ms; clock.advance(60_000)) {
        seq++;
        for (const rack_id of RACKS) {
          const load = tokens_ps(clock.now());
          const sample = {
            ts: isoTime(clock.now() + 30_000),
            interval_s: 60,
            tokens_ps: load,
            pdu_kw: 2 + load / 1_333,
          };
          store.samples.add(telemetry(rack_id, seq, sample), { received_ms: clock.now(), late: false });
        }
      }
    },
    setFan(to: number | null) {
      const action = {
        rack_id: "R-A-02",
        target: "fan_rpm_pct",
        to,
        outcome: "applied",
        source: "optimizer",
      };
      setpoints.observe({ ...action, ts: isoTime(clock.now()) } as Action);
    },
    intervals: () => store.energy.between(0, Number.MAX_SAFE_INTEGER),
  };
}

describe("the site's energy per quarter of an hour", () => {
  it("is kept with whether the plant ran without Skadi in it and in the one before", () => {
    const { runTo, setFan, intervals } = ledgerFrom();
    const at = (n: number) => START_MS + n * INTERVAL_MS;
    runTo(at(2));
    setFan(60);
    runTo(at(3));
    setFan(null);
    runTo(at(6) + 180_000);
    expect(intervals().map(({ start_ms }) => start_ms)).toEqual([0, 1, 2, 3, 4, 5].map(at));
    const undriven = intervals().filter(({ unoptimised }) => unoptimised);
    // The first has none before it; the third and the beginning of the fourth were driven.
    expect(undriven.map(({ start_ms }) => start_ms)).toEqual([at(1), at(5)]);
    expect(intervals()[2]?.driven_share).toBeCloseTo(0.5, 1);
    expect(intervals()[1]?.pdu_kwh).toBeCloseTo(2 * 0.25 * (2 + 8_000 / 1_333), 2);
    expect(intervals()[1]?.rack_hours).toBeCloseTo(0.5, 9);
  });

  it("does not take an interval that it saw only the end of for an unoptimised one", () => {
    const { runTo, intervals } = ledgerFrom(START_MS + 10 * 60_000);
    runTo(START_MS + 3 * INTERVAL_MS + 180_000);
    expect(intervals().map(({ unoptimised }) => unoptimised)).toEqual([false, false, true]);
  });

  it("becomes a saving of the last day once there is a baseline", () => {
    const { runTo, setFan, ledger, clock } = ledgerFrom();
    const load = (ms: number) => 7_000 + 2_000 * Math.sin(ms / 1e7);
    runTo(START_MS + 24 * HOUR_MS, load);
    expect(ledger.lastDay().warnings).toEqual(["nothing was optimised in this time"]);
    setFan(60);
    runTo(START_MS + 30 * HOUR_MS, load);
    const { estimate, optimised_hours } = ledger.lastDay();
    expect(optimised_hours).toBeCloseTo(6, 0);
    expect(estimate?.saved_pct).toBeCloseTo(0, 1);
    expect(ledger.savings(START_MS, clock.now()).estimate?.actual_kwh).toBeCloseTo(estimate!.actual_kwh, 6);
  });
});

describe("a switchback", () => {
  it.each([1, 2, 3, 4, 6, 8, 12, 24])(
    "of %i h pauses every hour of the day on every other day",
    (block_h) => {
      for (let hour = 0; hour < 24; hour++) {
        const days = [0, 1, 2, 3].map((day) => isPaused(START_MS + (24 * day + hour) * HOUR_MS, block_h));
        expect(days[0]).not.toBe(days[1]);
        expect([days[2], days[3]]).toEqual([days[0], days[1]]);
      }
    },
  );

  it("is none unless it is asked for", () => {
    for (let hour = 0; hour < 48; hour++) expect(isPaused(START_MS + hour * HOUR_MS, 0)).toBe(false);
  });
});
