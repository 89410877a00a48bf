import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LateRun, nextLateRun, orderOf } from "../../../aggregator/ingest/order.ts";

const TICK_MS = 5_000;
const sample = (seq: number, ts_ms = seq * TICK_MS) => ({ seq, ts_ms, interval_s: 5 });
const last = (seq: number | null, ts_ms = (seq ?? 0) * TICK_MS, lost = 0) => ({
  seq,
  ts_ms,
  lost,
  late_run: null,
});

describe("the order of a rack's samples", () => {
  it("accepts the first one, whatever its number", () => {
    expect(orderOf(last(null), sample(7), false)).toEqual({ kind: "in_order", lost: 0, restarted: false });
  });

  it("accepts the next one", () => {
    expect(orderOf(last(7), sample(8), false)).toEqual({ kind: "in_order", lost: 0, restarted: false });
  });

  it("drops a number that was seen before, even a new rack's", () => {
    expect(orderOf(last(7), sample(7), true)).toEqual({ kind: "duplicate" });
    expect(orderOf(last(null), sample(7), true)).toEqual({ kind: "duplicate" });
  });

  it("takes a lower new number for late", () => {
    expect(orderOf(last(7), sample(5), false)).toEqual({ kind: "late", found: 0 });
  });

  it("counts what is missing in between, and counts it back when it arrives late", () => {
    expect(orderOf(last(7), sample(10), false)).toMatchObject({ kind: "in_order", lost: 2 });
    expect(orderOf(last(10, 10 * TICK_MS, 2), sample(8), false)).toEqual({ kind: "late", found: 1 });
  });

  it("does not take a counter that jumps ahead of the clock for a loss", () => {
    // A restarted agent starts at the wall clock's milliseconds; 10 s have passed.
    expect(orderOf(last(1_000, 0), sample(900_000, 10_000), false)).toMatchObject({ lost: 0 });
    // A writer that numbers by time.
    expect(orderOf(last(50_000, 50_000), sample(55_000, 55_000), false)).toMatchObject({ lost: 0 });
    // An agent that spent a number on something else.
    expect(orderOf(last(7), { seq: 9, ts_ms: 8 * TICK_MS, interval_s: 5 }, false)).toMatchObject({ lost: 0 });
  });

  it("takes a counter that fell back for a restart once the clock moved on by more than a minute", () => {
    const order = orderOf(last(1_000_000, 0), sample(1, 61_000), false);
    expect(order).toEqual({ kind: "in_order", lost: 0, restarted: true });
  });

  it("recovers from a sample of the far future: a steady run of late samples is the present", () => {
    const future = Date.UTC(2099, 0);
    let late_run: LateRun | null = null;
    const kinds = [1, 2, 3, 4, 5, 6].map((seq) => {
      const order = orderOf({ seq: future, ts_ms: future, lost: 0, late_run }, sample(seq), false);
      late_run = nextLateRun(late_run, seq);
      return order.kind;
    });
    expect(kinds).toEqual(["late", "late", "late", "late", "late", "in_order"]);
  });

  it("accepts every permutation exactly once, and none twice", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(30).keys()], { minLength: 1 }), (arrivals) => {
        const seen = new Set<number>();
        let state = last(null);
        let kept = 0;
        for (const seq of [...arrivals, ...arrivals]) {
          const order = orderOf(state, sample(seq, seq * 1_000), seen.has(seq));
          if (order.kind === "duplicate") continue;
          seen.add(seq);
          kept++;
          if (order.kind === "in_order") state = last(seq, seq * 1_000);
        }
        return kept === arrivals.length;
      }),
    );
  });
});
