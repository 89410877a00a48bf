import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { racksOf, rowNames, rowOf } from "../../../shared/contracts/rack.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { REGIMES } from "../../../sim/plant/truth.ts";

const NOON_MS = Date.UTC(2026, 0, 15, 12);
const TWO_ROWS = racksOf(["A", "B"], 3);

const plantOf = (rack_ids: readonly string[] = TWO_ROWS, seed = 1) =>
  createPlant({ rack_ids, seed, start_ms: NOON_MS });

function run(plant: Plant, seconds: number, dt_s = 1): void {
  for (let s = 0; s < seconds; s += dt_s) plant.step(dt_s);
}

const percent = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null });
const settings = fc.record({
  fan_rpm_pct: percent,
  pump_rpm_pct: percent,
  routing_weight_pct: percent,
  admission_pct: percent,
  batch_window_ms: fc.option(fc.double({ min: 0, max: 200, noNaN: true }), { nil: null }),
  power_cap_kw: fc.option(fc.double({ min: 0, max: 15, noNaN: true }), { nil: null }),
});

function apply(
  plant: Plant,
  rack_id: string,
  set: typeof settings extends fc.Arbitrary<infer T> ? T : never,
): void {
  for (const [target, value] of Object.entries(set))
    plant.setTarget(rack_id, target as keyof typeof set, value);
}

describe("energy balance", () => {
  it("closes within 0.1 % every tick, per rack and site-wide, whatever is set, loaded or broken", () => {
    const scene = fc.record({
      set: settings,
      supply_c: fc.double({ min: 12, max: 30, noNaN: true }),
      floor: fc.double({ min: 0, max: 30_000, noNaN: true }),
      broken: fc.constantFrom(
        "fan_failure",
        "pump_degradation",
        "tile_blockage",
        "crah_failure",
        "load_surge",
      ),
      severity: fc.double({ min: 0, max: 1, noNaN: true }),
      dt_s: fc.constantFrom(0.5, 1, 2, 5),
    });
    fc.assert(
      fc.property(scene, ({ set, supply_c, floor, broken, severity, dt_s }) => {
        const plant = plantOf();
        apply(plant, "R-A-02", set);
        plant.setSupply(supply_c);
        plant.impose(["R-A-01", "R-B-01"], { load_floor_tokens_ps: floor });
        plant.inject({ kind: broken as "fan_failure", rack_id: "R-B-03", severity });
        for (let tick = 0; tick < 60; tick++) {
          plant.step(dt_s);
          const site = plant.balance();
          for (const rack of site.racks) {
            const out = rack.stored_j + rack.air_j + rack.liquid_j;
            expect(Math.abs(rack.electrical_j - out)).toBeLessThan(0.001 * rack.electrical_j);
          }
          const drawn = site.electrical_j + site.pump_j;
          expect(Math.abs(drawn - site.stored_j - site.rejected_j)).toBeLessThan(0.001 * drawn);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("adds up to the cumulative energies", () => {
    const plant = plantOf();
    let electrical_j = 0;
    let cooling_j = 0;
    for (let s = 0; s < 300; s++) {
      plant.step(1);
      electrical_j += plant.balance().electrical_j;
      cooling_j += plant.balance().cooling_plant_j;
    }
    const { it_kwh, fan_kwh, cooling_plant_kwh } = plant.energy();
    expect((it_kwh + fan_kwh) * 3.6e6).toBeCloseTo(electrical_j, 0);
    expect(cooling_plant_kwh * 3.6e6).toBeCloseTo(cooling_j, 0);
  });
});

describe("heat", () => {
  it("never makes the outlet colder than the inlet, or anything not finite", () => {
    fc.assert(
      fc.property(settings, fc.double({ min: 0, max: 25_000, noNaN: true }), (set, floor) => {
        const plant = plantOf();
        apply(plant, "R-A-01", set);
        plant.impose(["R-A-01"], { load_floor_tokens_ps: floor });
        run(plant, 300, 2);
        const truth = plant.truth("R-A-01");
        expect(truth.outlet_c).toBeGreaterThanOrEqual(truth.inlet_c);
        for (const value of Object.values(truth))
          if (typeof value === "number") expect(value).toSatisfy(Number.isFinite);
      }),
      { numRuns: 40 },
    );
  });

  it("is taken up by more coolant: a faster pump lowers mass and outlet, step by step", () => {
    const outletAt = (pump_rpm_pct: number) => {
      const plant = plantOf();
      // Fixed fans: the rack's own control would use the relief to slow them down.
      for (const id of plant.rack_ids) plant.setTarget(id, "fan_rpm_pct", 65);
      plant.setTarget("R-A-01", "pump_rpm_pct", pump_rpm_pct);
      run(plant, 900);
      return plant.truth("R-A-01");
    };
    const steps = [55, 65, 75, 90].map(outletAt);
    for (let k = 1; k < steps.length; k++) {
      expect(steps[k]!.outlet_c).toBeLessThan(steps[k - 1]!.outlet_c);
      expect(steps[k]!.mass_c).toBeLessThan(steps[k - 1]!.mass_c);
    }
  });

  it("recirculates when a rack draws more air than its tile gives", () => {
    const inletAt = (fan_rpm_pct: number) => {
      const plant = plantOf();
      plant.setTarget("R-A-01", "fan_rpm_pct", fan_rpm_pct);
      run(plant, 600);
      return plant.truth("R-A-01");
    };
    const slow = inletAt(60);
    const fast = inletAt(100);
    expect(fast.recirculated_share).toBeGreaterThan(slow.recirculated_share + 0.1);
    expect(fast.inlet_c).toBeGreaterThan(slow.inlet_c);
    expect(fast.fan_kw / slow.fan_kw).toBeCloseTo((fast.fan_rpm_pct / slow.fan_rpm_pct) ** 3, 6);
  });

  it("reaches the neighbours of the row and no other row", () => {
    const [heated, calm] = [plantOf(), plantOf()];
    heated.impose(["R-A-02"], { tile_factor: 0.6 });
    for (const plant of [heated, calm]) run(plant, 900);
    const warming = (id: string) => heated.truth(id).inlet_c - calm.truth(id).inlet_c;
    expect(warming("R-A-02")).toBeGreaterThan(1);
    expect(warming("R-A-01")).toBeGreaterThan(0.05);
    for (const id of racksOf(["B"], 3)) expect(warming(id)).toBeCloseTo(0, 6);
  });

  it("throttles hot GPUs: the clock falls, the work that no longer fits goes elsewhere", () => {
    const plant = plantOf();
    plant.impose(["R-A-01"], { load_floor_tokens_ps: 14_000, tile_factor: 0.6, pump_capacity: 0.5 });
    run(plant, 900);
    const truth = plant.truth("R-A-01");
    expect(truth.clock_share).toBeLessThan(0.85);
    expect(truth.tokens_ps).toBeLessThan(truth.offered_tokens_ps);
  });
});

describe("a power cap", () => {
  const cappedAt = (power_cap_kw: number | null, load_floor_tokens_ps = 13_000) => {
    const plant = plantOf();
    plant.impose(["R-A-01"], { load_floor_tokens_ps });
    plant.setTarget("R-A-01", "power_cap_kw", power_cap_kw);
    return plant;
  };

  it("holds the rack's power at or below it in every step, whatever the load and the fans do", () => {
    const scene = fc.record({
      cap_kw: fc.double({ min: 4, max: 12, noNaN: true }),
      floor: fc.double({ min: 0, max: 25_000, noNaN: true }),
      set: settings,
    });
    fc.assert(
      fc.property(scene, ({ cap_kw, floor, set }) => {
        const plant = plantOf();
        plant.impose(["R-A-01"], { load_floor_tokens_ps: floor });
        apply(plant, "R-A-01", { ...set, power_cap_kw: cap_kw });
        for (let s = 0; s < 120; s++) {
          plant.step(1);
          expect(plant.truth("R-A-01").pdu_kw).toBeLessThanOrEqual(cap_kw + 1e-9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("costs tokens and latency, and cools: the lower, the more of each", () => {
    const racks = [null, 9, 6, 4].map((cap) => {
      const plant = cappedAt(cap);
      run(plant, 900);
      return plant.truth("R-A-01");
    });
    for (let k = 1; k < racks.length; k++) {
      const [before, after] = [racks[k - 1]!, racks[k]!];
      expect(after.pdu_kw).toBeLessThan(before.pdu_kw);
      expect(after.tokens_ps).toBeLessThan(before.tokens_ps);
      expect(after.latency_p95_ms).toBeGreaterThan(before.latency_p95_ms);
      expect(after.outlet_c).toBeLessThan(before.outlet_c);
      expect(after.clock_share).toBeLessThan(before.clock_share);
    }
  });

  it("changes nothing where the rack could not draw as much anyway, and is gone on null", () => {
    const [capped, free] = [cappedAt(20), cappedAt(null)];
    for (const plant of [capped, free]) run(plant, 120);
    expect(capped.truth("R-A-01")).toEqual(free.truth("R-A-01"));
    const lifted = cappedAt(4);
    run(lifted, 120);
    lifted.setTarget("R-A-01", "power_cap_kw", null);
    run(lifted, 5);
    expect(lifted.truth("R-A-01").clock_share).toBe(1);
  });
});

describe("control", () => {
  it("holds an override, and gives the rack back on null", () => {
    const plant = plantOf();
    run(plant, 60);
    const automatic = plant.truth("R-A-01").fan_rpm_pct;
    plant.setTarget("R-A-01", "fan_rpm_pct", 85);
    expect(plant.target("R-A-01", "fan_rpm_pct")).toBe(85);
    run(plant, 120);
    expect(plant.truth("R-A-01").fan_rpm_pct).toBeCloseTo(85, 1);
    plant.setTarget("R-A-01", "fan_rpm_pct", null);
    expect(plant.target("R-A-01", "fan_rpm_pct")).toBeNull();
    run(plant, 600);
    expect(Math.abs(plant.truth("R-A-01").fan_rpm_pct - automatic)).toBeLessThan(2);
  });

  it("protects the hardware from an override far below its need", () => {
    const plant = plantOf();
    plant.impose(["R-A-01"], { load_floor_tokens_ps: 13_000 });
    plant.setTarget("R-A-01", "fan_rpm_pct", 40);
    plant.setTarget("R-A-01", "pump_rpm_pct", 35);
    run(plant, 1200);
    expect(plant.truth("R-A-01").fan_rpm_pct).toBeGreaterThan(60);
    expect(plant.truth("R-A-01").junction_c).toBeLessThan(95);
  });

  it("cools the supply slowly to its setpoint, and pays for colder air", () => {
    const [cold, design] = [plantOf(), plantOf()];
    cold.setSupply(16);
    cold.step(1);
    design.step(1);
    expect(cold.supply_c).toBeGreaterThan(19);
    for (const plant of [cold, design]) run(plant, 900);
    expect(cold.supply_c).toBeCloseTo(16, 1);
    expect(cold.truth("R-A-01").inlet_c).toBeLessThan(design.truth("R-A-01").inlet_c - 2);
    const costOf = (plant: Plant) => plant.balance().cooling_plant_j / plant.balance().rejected_j;
    expect(costOf(cold)).toBeGreaterThan(1.02 * costOf(design));
    cold.setSupply(null);
    run(cold, 900);
    expect(cold.supply_c).toBeCloseTo(design.supply_c, 1);
  });

  it("refuses impossible settings by name", () => {
    const plant = plantOf();
    expect(() => plant.step(6)).toThrow(/dt_s/);
    expect(() => plant.step(0)).toThrow(/dt_s/);
    expect(() => plant.read("R-Z-01")).toThrow(/rack/);
    expect(() => plant.setTarget("R-A-01", "fan_rpm_pct", Number.NaN)).toThrow(/fan_rpm_pct/);
    expect(() => plant.inject({ kind: "fan_failure", rack_id: "R-A-01", severity: 2 })).toThrow(/severity/);
  });
});

describe("a plant", () => {
  it("repeats itself exactly by seed, and reading it changes nothing", () => {
    const [read, unread, other] = [plantOf(), plantOf(), plantOf(TWO_ROWS, 2)];
    for (let s = 0; s < 120; s++) {
      for (const plant of [read, unread, other]) plant.step(1);
      expect(read.read("R-A-01")).toEqual(read.read("R-A-01"));
    }
    expect(read.read("R-B-02")).toEqual(unread.read("R-B-02"));
    expect(read.energy()).toEqual(unread.energy());
    expect(other.read("R-B-02")).not.toEqual(unread.read("R-B-02"));
  });

  it("counts GPU energy up, at the power that it draws", () => {
    const plant = plantOf();
    let last = plant.read("R-A-01").gpu_energy_j_total!;
    for (let s = 0; s < 60; s++) {
      plant.step(1);
      const now = plant.read("R-A-01").gpu_energy_j_total!;
      expect(now).toBeGreaterThan(last);
      expect(Math.abs(now - last - plant.truth("R-A-01").gpu_kw * 1000)).toBeLessThanOrEqual(1);
      last = now;
    }
  });

  it("starts settled", () => {
    const plant = plantOf(racksOf(["A", "C"], 12));
    const before = plant.rack_ids.map((id) => plant.truth(id).mass_c);
    run(plant, 600);
    for (const [k, id] of plant.rack_ids.entries())
      expect(Math.abs(plant.truth(id).mass_c - before[k]!)).toBeLessThan(1.5);
    expect(plant.energy().tokens).toBeGreaterThan(0);
  });

  it.each([
    { name: "one rack", rack_ids: ["R-Q-07"] },
    { name: "four racks of a row", rack_ids: racksOf(["A"], 4) },
    { name: "2,000 racks", rack_ids: racksOf(rowNames(40), 50) },
  ])("works with $name", ({ rack_ids }) => {
    const plant = plantOf(rack_ids);
    run(plant, 30);
    for (const id of [rack_ids[0]!, rack_ids.at(-1)!]) {
      const truth = plant.truth(id);
      expect(truth.inlet_c).toBeGreaterThan(19);
      expect(truth.inlet_c).toBeLessThan(27);
      expect(REGIMES).toContain(truth.regime);
      expect(rowOf(truth.rack_id)).toBe(rowOf(id));
    }
  });
});
