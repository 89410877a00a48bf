import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OUTLETS, PHASES, splitWhole } from "../../../sim/devices/circuits.ts";
import { latencyHistogram } from "../../../sim/devices/metrics/latency-histogram.ts";
import {
  encodeRegisters,
  HOLDING_REGISTERS,
  INPUT_REGISTERS,
  NO_VALUE_16,
} from "../../../sim/devices/modbus/registers.ts";

describe("a latency histogram", () => {
  const bounds_s = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10];

  it("interpolates to the p95 that it was given, wherever that lies between the bounds", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.0011, max: 9.9, noNaN: true }), (p95_s) => {
        const histogram = latencyHistogram(bounds_s);
        histogram.observe(1e9, p95_s);
        const counts = histogram.counts();
        for (let k = 1; k < counts.length; k++) expect(counts[k]).toBeGreaterThanOrEqual(counts[k - 1]!);
        const rank = 0.95 * counts.at(-1)!;
        const k = counts.findIndex((count) => count >= rank);
        const low = { le: bounds_s[k - 1] ?? 0, count: counts[k - 1] ?? 0 };
        const quantile = low.le + ((bounds_s[k]! - low.le) * (rank - low.count)) / (counts[k]! - low.count);
        expect(Math.abs(quantile - p95_s)).toBeLessThan(1e-3 * p95_s);
      }),
    );
  });

  it("adds up: counts are whole and the sum is the requests' mean times their number", () => {
    const histogram = latencyHistogram(bounds_s);
    for (let i = 0; i < 10; i++) histogram.observe(20.5, 0.2);
    expect(histogram.counts().at(-1)).toBe(205);
    expect(histogram.counts().every(Number.isInteger)).toBe(true);
    const mean_s = histogram.sum_s() / 205;
    expect(mean_s).toBeGreaterThan(0.08);
    expect(mean_s).toBeLessThan(0.2);
  });
});

describe("power over circuits", () => {
  it("adds up to the total, whatever the rounding", () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.constantFrom(OUTLETS, PHASES), (total, circuits) => {
        const parts = splitWhole(total, circuits);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total);
        expect(parts.every((part) => part >= 0)).toBe(true);
      }),
    );
  });
});

describe("the CDU's registers", () => {
  it("hold negative temperatures as two's complement", () => {
    expect(encodeRegisters("int16", 0.1, -1.5)).toEqual([0xfff1]);
    expect(encodeRegisters("uint16", 0.1, 61.3)).toEqual([613]);
  });

  it("hold a single in either word order, and NaN or 8000h where there is no value", () => {
    // 12.5 is 41480000h.
    expect(encodeRegisters("float32", 1, 12.5)).toEqual([0x4148, 0x0000]);
    expect(encodeRegisters("float32_swapped", 1, 12.5)).toEqual([0x0000, 0x4148]);
    expect(encodeRegisters("float32", 1, null)).toEqual([0x7fc0, 0x0000]);
    expect(encodeRegisters("int16", 0.1, null)).toEqual([NO_VALUE_16]);
  });

  it("do not overlap", () => {
    for (const table of [INPUT_REGISTERS, HOLDING_REGISTERS]) {
      const taken = table.flatMap((register) => {
        const wide = "type" in register && register.type.startsWith("float32");
        return wide ? [register.address, register.address + 1] : [register.address];
      });
      expect(new Set(taken).size).toBe(taken.length);
    }
  });

  it("stand in docs/devices.md as the server has them", () => {
    const docs = readFileSync(new URL("../../../docs/devices.md", import.meta.url), "utf8");
    for (const { address, name, type, scale, unit } of INPUT_REGISTERS) {
      expect(docs).toContain(`| ${address} | ${name} | ${type} | ${scale} | ${unit} |`);
    }
    for (const { address, name, scale, unit, range } of HOLDING_REGISTERS) {
      expect(docs).toContain(`| ${address} | ${name} | ${scale} | ${unit} | ${range.join("–")} |`);
    }
  });
});
