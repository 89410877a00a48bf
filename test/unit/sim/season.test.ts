import { describe, expect, it } from "vitest";
import { racksOf } from "../../../shared/contracts/rack.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { findScenario } from "../../../sim/scenarios/scenario.ts";
import { SEASON_K } from "../../../sim/scenarios/season-shift.ts";

const RACKS = racksOf(["A", "C"], 6);

const plantAt = (hour: number, season_k = 0) =>
  createPlant({ rack_ids: RACKS, seed: 3, start_ms: Date.UTC(2026, 0, 15) + hour * 3.6e6, season_k });

/** Means over ten minutes and all racks. */
function means(plant: Plant) {
  const sums = { inlet_c: 0, outlet_c: 0, fan_rpm_pct: 0, pump_rpm_pct: 0, tokens_ps: 0, latency_p95_ms: 0 };
  const names = Object.keys(sums) as (keyof typeof sums)[];
  for (let s = 0; s < 600; s++) {
    plant.step(1);
    for (const id of RACKS)
      for (const name of names) sums[name] += plant.truth(id)[name] / (600 * RACKS.length);
  }
  return sums;
}

describe.each([3, 13])("a warm season at %i h", (hour) => {
  const mild = plantAt(hour);
  const warm = plantAt(hour, SEASON_K);
  const before = means(mild);
  const after = means(warm);

  it("moves inlet, outlet, fans and pumps up, and the load not at all", () => {
    expect(after.inlet_c - before.inlet_c).toBeGreaterThan(0.7);
    expect(after.outlet_c - before.outlet_c).toBeGreaterThan(0.4);
    expect(after.fan_rpm_pct - before.fan_rpm_pct).toBeGreaterThan(1);
    expect(after.pump_rpm_pct - before.pump_rpm_pct).toBeGreaterThan(1);
    expect(after.tokens_ps / before.tokens_ps).toBeCloseTo(1, 2);
  });

  it("leaves the hall healthy: no rack near a limit, no fault, no regime but the usual ones", () => {
    expect(after.latency_p95_ms / before.latency_p95_ms).toBeCloseTo(1, 1);
    for (const id of RACKS) {
      const { inlet_c, fault, regime, clock_share } = warm.truth(id);
      expect(inlet_c).toBeLessThan(27);
      expect([fault, clock_share]).toEqual(["none", 1]);
      expect(["nominal", "high_load", "under_utilized"]).toContain(regime);
    }
  });

  it("costs more to cool, since the chillers lift heat to warmer weather", () => {
    expect(warm.energy().cooling_plant_kwh).toBeGreaterThan(1.05 * mild.energy().cooling_plant_kwh);
  });

  it("keeps the books of energy balanced", () => {
    const { electrical_j, stored_j, air_j, liquid_j } = warm.balance();
    expect(Math.abs(electrical_j - stored_j - air_j - liquid_j) / electrical_j).toBeLessThan(0.001);
  });
});

it("the scenario plays the same season on a running hall, and ends", () => {
  const plant = plantAt(13);
  const always = plantAt(13, SEASON_K);
  const end = findScenario("season_shift").start(plant);
  for (let s = 0; s < 1_800; s++) {
    plant.step(1);
    always.step(1);
  }
  const supply = (hall: Plant) => hall.truth("R-A-03").supply_c;
  expect(supply(plant)).toBeCloseTo(supply(always), 2);
  end();
  for (let s = 0; s < 1_800; s++) plant.step(1);
  expect(supply(plant)).toBeCloseTo(supply(plantAt(13)), 2);
});
