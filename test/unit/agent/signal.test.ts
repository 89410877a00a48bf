import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PointReading } from "../../../agent/sensors/device.ts";
import { aggregate, pointSignal } from "../../../agent/sensors/signal.ts";
import type { CommonPoint } from "../../../shared/contracts/devices/common.ts";
import { FIELD_UNITS, UNIT_RULES, type Unit, unitsOf } from "../../../shared/contracts/devices/units.ts";
import { MEASURED_FIELDS } from "../../../shared/contracts/telemetry.ts";

const point = (changes: Partial<CommonPoint> & Pick<CommonPoint, "field">): CommonPoint => ({
  scale: 1,
  offset: 0,
  ...changes,
});
const once = (changes: Parameters<typeof point>[0], ...values: (number | null)[]) =>
  pointSignal(point(changes))(0, { values }).value;
const rateOf = (counter: CommonPoint) => {
  const signal = pointSignal(counter);
  return (at_ms: number, reading: PointReading) => signal(at_ms, reading).value;
};

describe("a point's raw number", () => {
  it.each([
    ["inlet_c", "fahrenheit", 71.6, 22],
    ["inlet_c", "kelvin", 295.15, 22],
    ["pdu_kw", "watt", 8_120, 8.12],
    ["pdu_kw", "milliwatt", 8_120_000, 8.12],
    ["gpu_energy_j", "kilowatt", 5.6, 5_600],
    ["latency_p95_ms", "second", 0.18, 180],
    ["fan_rpm_pct", "ratio", 0.65, 65],
  ] as const)("of %s in %s becomes the field's own unit", (field, unit, raw, expected) => {
    expect(once({ field, unit }, raw)).toBeCloseTo(expected, 9);
  });

  it("is scaled before its unit counts: tenths of a degree, hundredths of a kilowatt", () => {
    expect(once({ field: "inlet_c", scale: 0.1 }, 223)).toBeCloseTo(22.3, 9);
    expect(once({ field: "pdu_kw", scale: 0.01 }, 812)).toBeCloseTo(8.12, 9);
  });

  it("in rpm is a share of full speed", () => {
    expect(once({ field: "fan_rpm_pct", unit: "rpm", full_scale_rpm: 12_000 }, 7_800)).toBeCloseTo(65, 9);
  });

  it("that is no finite number is nothing", () => {
    expect(once({ field: "inlet_c" }, Number.NaN)).toBeNull();
    expect(once({ field: "inlet_c" }, null)).toBeNull();
  });
});

describe("a counter", () => {
  const energy = point({ field: "gpu_energy_j", unit: "watt_hour" });

  it("becomes its rate, known from the second reading on", () => {
    const signal = rateOf(energy);
    expect(signal(0, { values: [100] })).toBeNull();
    expect(signal(3_600_000 / 36, { values: [110] })).toBeCloseTo(360, 9);
  });

  it("that went back has restarted: unknown once, right again afterwards", () => {
    const signal = rateOf(energy);
    signal(0, { values: [100] });
    expect(signal(10_000, { values: [1] })).toBeNull();
    expect(signal(20_000, { values: [2] })).toBeCloseTo(360, 9);
  });

  it("of which one part restarts spoils no sum with a wrong number", () => {
    const signal = rateOf(energy);
    signal(0, { values: [100, 500] });
    expect(signal(10_000, { values: [101, 3] })).toBeNull();
    expect(signal(20_000, { values: [102, 4] })).toBeCloseTo(720, 9);
  });

  it("told again as of the same instant has not stood still: its rate holds", () => {
    const signal = rateOf(energy);
    signal(0, { values: [100] });
    const rate = signal(10_000, { values: [101] });
    expect(rate).toBeCloseTo(360, 9);
    expect(signal(10_000.0001, { values: [101] })).toBe(rate);
    expect(signal(20_000, { values: [102] })).toBeCloseTo(360, 2);
  });

  it("not read for a long time says nothing", () => {
    const signal = rateOf(energy);
    signal(0, { values: [100] });
    expect(signal(601_000, { values: [200] })).toBeNull();
  });
});

describe("several parts", () => {
  it("add up only when all speak; a mean or an extreme takes those that do", () => {
    expect(aggregate([4, 4.1], "sum")).toBeCloseTo(8.1, 9);
    expect(aggregate([4, null], "sum")).toBeNull();
    expect(aggregate([4, null, 6], "mean")).toBe(5);
    expect(aggregate([4, null, 6], "max")).toBe(6);
    expect(aggregate([4, null, 6], "min")).toBe(4);
    expect(aggregate([null, null], "max")).toBeNull();
    expect(aggregate([], "mean")).toBeNull();
  });

  it("of an inlet count by the hottest, of power by their sum", () => {
    expect(once({ field: "inlet_c" }, 22, 24.5, 23)).toBe(24.5);
    expect(once({ field: "pdu_kw" }, 4, 4)).toBe(8);
  });

  it("of a temperature: one that falls silent is taken to move as the others do, and the field is stale", () => {
    const inlet = pointSignal(point({ field: "inlet_c", unit: "fahrenheit" }));
    expect(inlet(0, { values: [84.2, 73.4] })).toEqual({ value: expect.closeTo(29, 9), doubt: undefined });
    expect(inlet(1_000, { values: [null, 75.2] })).toEqual({ value: expect.closeTo(30, 9), doubt: "stale" });
    const outlet = pointSignal(point({ field: "outlet_c" }));
    outlet(0, { values: [40, 36] });
    expect(outlet(1_000, { values: [null, 35] })).toEqual({ value: 37, doubt: "stale" });
  });

  it("of a temperature: a place of a list that never spoke is empty; one fewer than have spoken is in doubt", () => {
    for (const aggregate of ["max", "mean", "min"] as const) {
      const inlet = pointSignal(point({ field: "inlet_c", aggregate }));
      expect(inlet(0, { values: [null, 23, 23] })).toEqual({ value: 23, doubt: undefined });
      expect(inlet(1_000, { values: [23] })).toEqual({ value: 23, doubt: "suspect" });
    }
  });

  it("of a temperature that are doubted by their device are not what an estimate rests on", () => {
    const inlet = pointSignal(point({ field: "inlet_c" }));
    inlet(0, { values: [29, 23] });
    inlet(1_000, { values: [4, 23], suspect: true });
    expect(inlet(2_000, { values: [null, 23] })).toEqual({ value: 29, doubt: "stale" });
  });

  it("of anything else: one that falls silent is left out, or makes the sum missing", () => {
    const speed = pointSignal(point({ field: "fan_rpm_pct" }));
    speed(0, { values: [80, 60] });
    expect(speed(1_000, { values: [null, 60] })).toEqual({ value: 60, doubt: undefined });
    const sum = pointSignal(point({ field: "inlet_c", aggregate: "sum" }));
    sum(0, { values: [20, 20] });
    expect(sum(1_000, { values: [null, 20] })).toEqual({ value: null, doubt: undefined });
  });

  it("mean, minimum and maximum keep their order, whatever the values", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
        const [low, mean, high] = (["min", "mean", "max"] as const).map((how) => aggregate(values, how)!);
        expect(low).toBeLessThanOrEqual(mean! + 1e-6);
        expect(mean).toBeLessThanOrEqual(high! + 1e-6);
      }),
    );
  });
});

describe("the units", () => {
  it("of a field include its own, and every unit serves some field", () => {
    const served = new Set<Unit>();
    for (const field of MEASURED_FIELDS) {
      expect(unitsOf(field)).toContain(FIELD_UNITS[field].unit);
      for (const unit of unitsOf(field)) served.add(unit);
    }
    expect(served.size).toBe(Object.keys(UNIT_RULES).length);
  });
});
