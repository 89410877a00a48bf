import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
  pointSignal(point(changes))(0, { values });

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
    const signal = pointSignal(energy);
    expect(signal(0, { values: [100] })).toBeNull();
    expect(signal(3_600_000 / 36, { values: [110] })).toBeCloseTo(360, 9);
  });

  it("that went back has restarted: unknown once, right again afterwards", () => {
    const signal = pointSignal(energy);
    signal(0, { values: [100] });
    expect(signal(10_000, { values: [1] })).toBeNull();
    expect(signal(20_000, { values: [2] })).toBeCloseTo(360, 9);
  });

  it("of which one part restarts spoils no sum with a wrong number", () => {
    const signal = pointSignal(energy);
    signal(0, { values: [100, 500] });
    expect(signal(10_000, { values: [101, 3] })).toBeNull();
    expect(signal(20_000, { values: [102, 4] })).toBeCloseTo(720, 9);
  });

  it("told again as of the same instant has not stood still: its rate holds", () => {
    const signal = pointSignal(energy);
    signal(0, { values: [100] });
    const rate = signal(10_000, { values: [101] });
    expect(rate).toBeCloseTo(360, 9);
    expect(signal(10_000.0001, { values: [101] })).toBe(rate);
    expect(signal(20_000, { values: [102] })).toBeCloseTo(360, 2);
  });

  it("not read for a long time says nothing", () => {
    const signal = pointSignal(energy);
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
