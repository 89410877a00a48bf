import { describe, expect, it } from "vitest";
import { racksOf } from "../../../shared/contracts/rack.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import type { SensorField } from "../../../sim/plant/sensors.ts";

const RACKS = racksOf(["A", "B"], 4);
const RACK = "R-A-02";

const plantOf = () => createPlant({ rack_ids: RACKS, seed: 3, start_ms: Date.UTC(2026, 0, 15, 12) });

function run(plant: Plant, seconds: number): void {
  for (let s = 0; s < seconds; s++) plant.step(1);
}

function readings(plant: Plant, field: SensorField, seconds: number): (number | null)[] {
  return Array.from({ length: seconds }, () => {
    plant.step(1);
    return plant.read(RACK)[field];
  });
}

/** Truth of `id` with and without the fault, ten minutes after it struck. */
function compare(fault: Parameters<Plant["inject"]>[0], id = RACK) {
  const [faulty, healthy] = [plantOf(), plantOf()];
  const handle = faulty.inject(fault);
  for (const plant of [faulty, healthy]) run(plant, 600);
  return { faulty, healthy, handle, with: faulty.truth(id), without: healthy.truth(id) };
}

describe("equipment faults", () => {
  it("fan_failure: less air to carry the heat, lower mean speed; undone when cleared", () => {
    const { faulty, healthy, handle, ...truth } = compare({
      kind: "fan_failure",
      rack_id: RACK,
      severity: 0.4,
    });
    expect(truth.with.fan_rpm_pct).toBeLessThan(truth.without.fan_rpm_pct - 10);
    const rise = (t: typeof truth.with) => t.outlet_c - t.inlet_c;
    expect(rise(truth.with)).toBeGreaterThan(rise(truth.without) + 3);
    expect(truth.with.mass_c).toBeGreaterThan(truth.without.mass_c + 0.8);
    expect(truth.with.fault).toBe("fan_failure");
    expect(truth.without.fault).toBe("none");
    faulty.clear(handle);
    faulty.clear(handle);
    for (const plant of [faulty, healthy]) run(plant, 900);
    expect(faulty.truth(RACK).fault).toBe("none");
    expect(faulty.truth(RACK).fan_rpm_pct).toBeCloseTo(healthy.truth(RACK).fan_rpm_pct, 0);
  });

  it("pump_degradation: less heat into the coolant at the same speed, a hotter mass", () => {
    const truth = compare({ kind: "pump_degradation", rack_id: RACK, severity: 0.6 });
    expect(truth.with.mass_c).toBeGreaterThan(truth.without.mass_c + 2);
    expect(truth.with.liquid_kw).toBeLessThan(truth.without.liquid_kw);
  });

  it("tile_blockage: a hotter inlet by recirculation", () => {
    const truth = compare({ kind: "tile_blockage", rack_id: RACK, severity: 0.6 });
    expect(truth.with.recirculated_share).toBeGreaterThan(truth.without.recirculated_share + 0.2);
    expect(truth.with.inlet_c).toBeGreaterThan(truth.without.inlet_c + 3);
  });

  it("crah_failure: warmer supply for the whole row and for no other", () => {
    const fault = { kind: "crah_failure", rack_id: RACK, severity: 0.5 } as const;
    const neighbour = compare(fault, "R-A-04");
    expect(neighbour.with.supply_c).toBeGreaterThan(neighbour.without.supply_c + 4);
    expect(neighbour.with.fault).toBe("crah_failure");
    const elsewhere = compare(fault, "R-B-02");
    expect(elsewhere.with.supply_c).toBeCloseTo(elsewhere.without.supply_c, 6);
    expect(elsewhere.with.fault).toBe("none");
  });

  it("load_surge: more demand on one rack", () => {
    const truth = compare({ kind: "load_surge", rack_id: RACK, severity: 0.5 });
    expect(truth.with.demand_tokens_ps / truth.without.demand_tokens_ps).toBeCloseTo(1.5, 6);
    expect(truth.with.pdu_kw).toBeGreaterThan(truth.without.pdu_kw);
  });

  it("several at once: their kinds are all told, clearing one leaves the other", () => {
    const plant = plantOf();
    const tile = plant.inject({ kind: "tile_blockage", rack_id: RACK, severity: 0.5 });
    plant.inject({ kind: "sensor_drift", rack_id: RACK, field: "outlet_c", severity: 1 });
    expect(plant.truth(RACK).fault).toBe("tile_blockage+sensor_drift");
    plant.clear(tile);
    expect(plant.truth(RACK).fault).toBe("sensor_drift");
  });
});

describe("sensor faults", () => {
  it("stuck: the reading of that instant, for ever", () => {
    const plant = plantOf();
    const before = plant.read(RACK).inlet_c;
    plant.inject({ kind: "sensor_stuck", rack_id: RACK, field: "inlet_c", severity: 1 });
    expect(new Set(readings(plant, "inlet_c", 60))).toEqual(new Set([before]));
  });

  it("drift: away from the truth in proportion to time", () => {
    const [plant, healthy] = [plantOf(), plantOf()];
    plant.inject({ kind: "sensor_drift", rack_id: RACK, field: "inlet_c", severity: 0.5 });
    for (const p of [plant, healthy]) run(p, 300);
    expect(plant.read(RACK).inlet_c! - healthy.read(RACK).inlet_c!).toBeCloseTo(2, 3);
  });

  it("dropout: null in the share of its severity", () => {
    const plant = plantOf();
    plant.inject({ kind: "sensor_dropout", rack_id: RACK, field: "pdu_kw", severity: 0.5 });
    const missing = readings(plant, "pdu_kw", 600).filter((value) => value === null).length;
    expect(missing / 600).toBeGreaterThan(0.4);
    expect(missing / 600).toBeLessThan(0.6);
    plant.inject({ kind: "sensor_dropout", rack_id: RACK, field: "inlet_c", severity: 1 });
    expect(new Set(readings(plant, "inlet_c", 60))).toEqual(new Set([null]));
  });

  it("spike: single wild readings, and the physics goes on untouched", () => {
    const [plant, healthy] = [plantOf(), plantOf()];
    plant.inject({ kind: "sensor_spike", rack_id: RACK, field: "outlet_c", severity: 0.5 });
    const [spiky, calm] = [readings(plant, "outlet_c", 600), readings(healthy, "outlet_c", 600)];
    const wild = spiky.filter((value, k) => value! - calm[k]! > 10).length;
    expect(wild).toBeGreaterThan(30);
    expect(wild).toBeLessThan(90);
    expect(plant.truth(RACK).outlet_c).toBe(healthy.truth(RACK).outlet_c);
  });
});
