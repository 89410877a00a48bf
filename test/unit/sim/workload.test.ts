import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { racksOf } from "../../../shared/contracts/rack.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { createRouter, type RoutingColumns } from "../../../sim/workload/routing.ts";
import { batchCost, bufferState, SERVING_DEFAULTS } from "../../../sim/workload/serving.ts";

const RACKS = racksOf(["A", "B", "C"], 8);

const plantAt = (hour: number) =>
  createPlant({ rack_ids: RACKS, seed: 5, start_ms: Date.UTC(2026, 0, 15) + hour * 3.6e6 });

function mean(
  plant: Plant,
  field: "tokens_ps" | "latency_p95_ms" | "queue_depth" | "pdu_kw",
  seconds = 120,
): number {
  let sum = 0;
  for (let s = 0; s < seconds; s++) {
    plant.step(1);
    for (const id of RACKS) sum += plant.truth(id)[field];
  }
  return sum / seconds / RACKS.length;
}

describe("demand", () => {
  it("follows the day: quiet nights, busy days, office-hour peaks on part of the racks", () => {
    const night = plantAt(3);
    const day = plantAt(14);
    expect(mean(night, "tokens_ps")).toBeGreaterThan(3_000);
    expect(mean(night, "tokens_ps")).toBeLessThan(5_000);
    mean(day, "tokens_ps");
    const demands = RACKS.map((id) => day.truth(id).demand_tokens_ps);
    const peaks = demands.filter((demand) => demand > 10_000);
    expect(peaks.length).toBeGreaterThan(RACKS.length / 8);
    expect(peaks.length).toBeLessThan(RACKS.length / 1.5);
    for (const demand of demands) {
      expect(demand).toBeGreaterThan(7_000);
      expect(demand).toBeLessThan(13_000);
    }
  });

  it("is bursty from second to second, and even from five minutes to five minutes", () => {
    const plant = plantAt(13);
    const seconds = Array.from({ length: 600 }, () => {
      plant.step(1);
      return plant.truth("R-A-01").offered_tokens_ps;
    });
    const spread = (values: number[]) => {
      const average = values.reduce((a, b) => a + b, 0) / values.length;
      return Math.sqrt(values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length) / average;
    };
    expect(spread(seconds)).toBeGreaterThan(0.08);
    const [early, late] = [seconds.slice(0, 300), seconds.slice(300)].map(
      (v) => v.reduce((a, b) => a + b, 0) / 300,
    );
    expect(Math.abs(early! / late! - 1)).toBeLessThan(0.08);
  });
});

describe("routing", () => {
  const columns = (demand: number[]): RoutingColumns => {
    const empty = () => new Float64Array(demand.length);
    return {
      count: demand.length,
      demand_tokens_ps: Float64Array.from(demand),
      assigned_tokens_ps: empty(),
      deferred_tokens_ps: empty(),
      blocked_tokens_ps: empty(),
      target: { routing_weight_pct: empty().fill(Number.NaN), admission_pct: empty().fill(Number.NaN) },
    };
  };
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  const rack = fc.record({
    demand: fc.double({ min: 0, max: 20_000, noNaN: true }),
    weight: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: Number.NaN }),
    admission: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: Number.NaN }),
  });

  it("conserves the load: assigned plus deferred is the demand", () => {
    fc.assert(
      fc.property(fc.array(rack, { minLength: 1, maxLength: 12 }), (racks) => {
        const state = columns(racks.map((r) => r.demand));
        state.target.routing_weight_pct.set(racks.map((r) => r.weight));
        state.target.admission_pct.set(racks.map((r) => r.admission));
        const router = createRouter(racks.length, SERVING_DEFAULTS.capacity_tokens_ps);
        router.assign(state, 1);
        const total = sum(state.demand_tokens_ps);
        expect(sum(state.assigned_tokens_ps) + sum(state.deferred_tokens_ps)).toBeCloseTo(total, 6);
        expect(router.totals.deferred_tokens).toBeCloseTo(sum(state.deferred_tokens_ps), 6);
        // At most 30 % of the load is low-priority.
        expect(sum(state.assigned_tokens_ps)).toBeGreaterThanOrEqual(0.7 * total - 1e-6);
      }),
    );
  });

  it("gives diverted load to the racks with headroom, in proportion to it", () => {
    const state = columns([10_000, 4_000, 8_000]);
    state.target.routing_weight_pct[0] = 50;
    const router = createRouter(3, 18_000);
    router.assign(state, 1);
    // Running conversations stay at first.
    expect(state.assigned_tokens_ps[0]).toBeGreaterThan(9_500);
    for (let s = 0; s < 900; s++) router.assign(state, 1);
    const [from, roomy, tight] = state.assigned_tokens_ps;
    expect(from).toBeCloseTo(5_000, 3);
    expect(roomy! - 4_000).toBeGreaterThan(tight! - 8_000);
    expect(roomy! + tight!).toBeCloseTo(17_000, 3);
  });

  it("brings deferred work back, slowly, once it is let in", () => {
    const state = columns([8_000, 8_000]);
    const router = createRouter(2, 18_000);
    state.target.admission_pct[0] = 70;
    for (let s = 0; s < 60; s++) router.assign(state, 1);
    const deferred = router.totals.deferred_tokens;
    expect(deferred).toBeCloseTo(60 * 0.3 * 8_000, 0);
    state.target.admission_pct[0] = Number.NaN;
    router.assign(state, 1);
    router.assign(state, 1);
    const extra = sum(state.assigned_tokens_ps) - 16_000;
    expect(extra).toBeGreaterThan(0);
    expect(extra).toBeLessThanOrEqual(0.03 * 16_000 + 1e-6);
    for (let s = 0; s < 1_000; s++) router.assign(state, 1);
    expect(router.totals.deferred_tokens).toBeCloseTo(0, 3);
  });
});

describe("serving", () => {
  it("knows the M/M/1/K buffer: closed form, bounds, monotone in the load", () => {
    const K = SERVING_DEFAULTS.buffer_batches;
    const state = { mean: 0, variance: 0, blocked_share: 0 };
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (rho) => {
        bufferState(rho, K, state);
        const blocked = ((1 - rho) * rho ** K) / (1 - rho ** (K + 1));
        const mean_batches = rho / (1 - rho) - ((K + 1) * rho ** (K + 1)) / (1 - rho ** (K + 1));
        expect(state.blocked_share).toBeCloseTo(blocked, 9);
        expect(state.mean).toBeCloseTo(mean_batches, 6);
      }),
    );
    expect(bufferState(1, K, state).mean).toBeCloseTo(K / 2, 9);
    expect(bufferState(50, K, state).mean).toBeLessThanOrEqual(K);
  });

  it("trades latency against energy per token by the batching window", () => {
    expect(batchCost(SERVING_DEFAULTS.batch_window_ms, SERVING_DEFAULTS)).toBe(1);
    const [short, long] = [plantAt(13), plantAt(13)];
    for (const id of RACKS) long.setTarget(id, "batch_window_ms", 60);
    expect(mean(long, "latency_p95_ms")).toBeGreaterThan(mean(short, "latency_p95_ms") + 20);
    const per_token = (plant: Plant) => plant.energy().it_kwh / plant.energy().tokens;
    expect(per_token(long)).toBeLessThan(0.98 * per_token(short));
  });

  it("keeps Little's law between queue, rate and latency", () => {
    const plant = plantAt(13);
    const tokens_ps = mean(plant, "tokens_ps", 60);
    const queue = mean(plant, "queue_depth", 60);
    const p95_ms = mean(plant, "latency_p95_ms", 60);
    const mean_ms = (queue / (tokens_ps / SERVING_DEFAULTS.slice_tokens)) * 1000;
    expect(mean_ms).toBeGreaterThan(0.6 * p95_ms);
    expect(mean_ms).toBeLessThan(p95_ms);
  });
});
