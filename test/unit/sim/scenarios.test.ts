import { beforeAll, describe, expect, it } from "vitest";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { racksOf, rowOf } from "../../../shared/contracts/rack.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { rowBuffer } from "../../../shared/ims/rows.ts";
import { createScorer } from "../../../shared/ims/score.ts";
import { toFeatures } from "../../../shared/ims/to-features.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { findScenario, SCENARIOS } from "../../../sim/scenarios/scenario.ts";
import { readWindow } from "../../../sim/site/window.ts";

const RACKS = racksOf(["A", "B", "C", "D", "E", "F"], 12);
const ROW_C = RACKS.filter((id) => rowOf(id) === "C");
const ROW_E = RACKS.filter((id) => rowOf(id) === "E");
const OTHERS = RACKS.filter((id) => rowOf(id) !== "C");
const HOURS = [3, 13];

const plantAt = (hour: number, seed = 9) =>
  createPlant({ rack_ids: RACKS, seed, start_ms: Date.UTC(2026, 0, 15) + hour * 3.6e6 });

function run(plant: Plant, seconds: number): void {
  for (let s = 0; s < seconds; s++) plant.step(1);
}

/** Mean over the racks of what `measure` says, averaged over a minute so that eddies and bursts cancel. */
function minuteMean(
  plant: Plant,
  racks: readonly string[],
  field: "inlet_c" | "tokens_ps" | "latency_p95_ms",
): number {
  let sum = 0;
  for (let s = 0; s < 60; s++) {
    plant.step(1);
    for (const id of racks) sum += plant.truth(id)[field];
  }
  return sum / 60 / racks.length;
}

const regimesOf = (plant: Plant, racks: readonly string[]) =>
  new Set(racks.map((id) => plant.truth(id).regime));

let model: ModelFile;

/** Trained as the demo trains: windows spread over a day of nominal operation. */
beforeAll(() => {
  const rows = rowBuffer();
  for (let hour = 0; hour < 24; hour += 0.5) {
    const plant = plantAt(hour, 1);
    for (let w = 0; w < 12; w++)
      for (const window of readWindow(plant, RACKS, 5)) rows.push(toFeatures(window));
  }
  const limits = { inlet_c: 28, latency_p95_ms: 250, rack_kw: 12 };
  model = trainModel(rows.matrix(), { clusters: 8, seed: 42, limits, data: "plant", created_ms: 0 });
});

/** Mean D of each rack over two minutes of windows. */
function meanD(plant: Plant, racks: readonly string[]): number[] {
  const scorer = createScorer(model);
  const sums = racks.map(() => 0);
  const x = new Float64Array(FEATURES.length);
  for (let w = 0; w < 24; w++) {
    readWindow(plant, racks, 5).forEach((window, k) => {
      sums[k]! += scorer.score(toFeatures(window, x)).d / 24;
    });
  }
  return sums;
}

describe.each(HOURS)("heat_spike at %i UTC", (hour) => {
  it("without a guard drives all of row C into a thermal event, and nobody else", () => {
    const [plant, calm] = [plantAt(hour), plantAt(hour)];
    findScenario("heat_spike").start(plant);
    for (const p of [plant, calm]) run(p, 600);

    expect(regimesOf(plant, ROW_C)).toEqual(new Set(["thermal_event"]));
    for (const id of ROW_C) expect(plant.truth(id).demand_tokens_ps).toBeGreaterThanOrEqual(12_500);
    expect(ROW_C.filter((id) => plant.truth(id).inlet_c > 28).length).toBeGreaterThan(6);
    expect(regimesOf(plant, OTHERS)).toEqual(regimesOf(calm, OTHERS));
    const [with_spike, without] = [plant, calm].map((p) => minuteMean(p, OTHERS, "inlet_c"));
    expect(Math.abs(with_spike! - without!)).toBeLessThan(0.2);

    for (const d of meanD(plant, ROW_C)) expect(d).toBeGreaterThan(1.5 * model.tau_persist);
    for (const d of meanD(plant, OTHERS)) expect(d).toBeLessThan(0.8 * model.tau_persist);
  });

  it("is relieved by pump, admission and routing within 5 min, with the fans left alone", () => {
    const plant = plantAt(hour);
    const end = findScenario("add_ai_nodes_row_c").start(plant);
    run(plant, 600);
    for (const id of ROW_C) {
      plant.setTarget(id, "pump_rpm_pct", 90);
      plant.setTarget(id, "admission_pct", 70);
      plant.setTarget(id, "routing_weight_pct", 75);
    }
    run(plant, 60);
    for (const id of ROW_C) plant.setTarget(id, "routing_weight_pct", 50);
    run(plant, 240);
    for (let s = 0; s < 600; s++) {
      plant.step(1);
      for (const id of ROW_C) expect(plant.truth(id).inlet_c).toBeLessThan(27.3);
    }
    for (const regime of regimesOf(plant, OTHERS))
      expect(["under_utilized", "nominal", "high_load"]).toContain(regime);
    expect(minuteMean(plant, OTHERS, "latency_p95_ms")).toBeLessThan(250);

    end();
    for (const id of ROW_C) {
      for (const target of ["pump_rpm_pct", "admission_pct", "routing_weight_pct"] as const) {
        plant.setTarget(id, target, null);
      }
    }
    run(plant, 600);
    for (const d of meanD(plant, RACKS)) expect(d).toBeLessThan(0.8 * model.tau_persist);
  });

  it("is not relieved by fan speed: the tiles have no more to give", () => {
    const plant = plantAt(hour);
    findScenario("heat_spike").start(plant);
    run(plant, 600);
    const before = minuteMean(plant, ROW_C, "inlet_c");
    for (const id of ROW_C) plant.setTarget(id, "fan_rpm_pct", 100);
    run(plant, 300);
    expect(minuteMean(plant, ROW_C, "inlet_c")).toBeGreaterThan(before);
  });
});

describe.each(HOURS)("overcooled_row_e at %i UTC", (hour) => {
  it("overcools row E alone, wastes energy, and ends", () => {
    const [plant, calm] = [plantAt(hour), plantAt(hour)];
    const end = findScenario("overcooled_row_e").start(plant);
    for (const p of [plant, calm]) run(p, 900);
    expect(regimesOf(plant, ROW_E)).toEqual(new Set(["overcooled"]));
    expect(plant.energy().cooling_plant_kwh).toBeGreaterThan(1.02 * calm.energy().cooling_plant_kwh);
    const elsewhere = RACKS.filter((id) => rowOf(id) !== "E");
    expect(regimesOf(plant, elsewhere)).toEqual(regimesOf(calm, elsewhere));
    for (const d of meanD(plant, ROW_E)) expect(d).toBeGreaterThan(model.tau_persist);

    end();
    end();
    run(plant, 600);
    for (const d of meanD(plant, RACKS)) expect(d).toBeLessThan(0.8 * model.tau_persist);
  });
});

describe("scenarios", () => {
  it("are found by name and alias", () => {
    expect(SCENARIOS.map((s) => s.name)).toEqual(["heat_spike", "overcooled_row_e", "season_shift"]);
    expect(findScenario("add_ai_nodes_row_c").name).toBe("heat_spike");
    expect(() => findScenario("earthquake")).toThrow(/heat_spike/);
  });

  it("play on a site without their row, and together", () => {
    const plant = createPlant({ rack_ids: racksOf(["Q"], 4), seed: 1, start_ms: Date.UTC(2026, 0, 15, 13) });
    const ends = SCENARIOS.map((scenario) => scenario.start(plant));
    run(plant, 120);
    expect(plant.truth("R-Q-01").demand_tokens_ps).toBeGreaterThan(12_000);
    expect(plant.truth("R-Q-01").supply_c).toBeLessThan(18.5);
    for (const end of ends) end();
    run(plant, 600);
    expect(plant.truth("R-Q-01").demand_tokens_ps).toBeLessThan(12_000);
  });
});
