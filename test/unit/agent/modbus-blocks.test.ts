import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf, type ModbusRange } from "../../../agent/devices/modbus-blocks.ts";

const limits = { gap_max: 8, registers_max: 125 };
const at = (address: number, count = 1, more: Partial<ModbusRange> = {}): ModbusRange => ({
  unit_id: 1,
  table: "holding",
  address,
  count,
  ...more,
});
const spans = (ranges: ModbusRange[], own = limits) =>
  blocksOf(ranges, own).map(({ address, count }) => [address, count]);

describe("requests for registers", () => {
  it("take neighbours together, and what lies between them when it is little", () => {
    expect(spans([at(100, 2), at(110), at(102)])).toEqual([[100, 11]]);
    expect(spans([at(100), at(110)])).toEqual([
      [100, 1],
      [110, 1],
    ]);
    expect(spans([at(100), at(101)], { ...limits, gap_max: 0 })).toEqual([[100, 2]]);
  });

  it("keep units and tables apart", () => {
    expect(blocksOf([at(1), at(2, 1, { unit_id: 2 }), at(3, 1, { table: "input" })], limits)).toHaveLength(3);
  });

  it("of bits count sixteen to a register", () => {
    expect(spans([at(0, 1, { table: "coil" }), at(120, 1, { table: "coil" })])).toEqual([[0, 121]]);
  });

  it("cover every range exactly once, within the limits", () => {
    const range = fc.record({
      unit_id: fc.integer({ min: 1, max: 2 }),
      table: fc.constantFrom("holding" as const, "input" as const),
      address: fc.integer({ min: 0, max: 400 }),
      count: fc.constantFrom(1, 2, 4),
    });
    const own = fc.record({
      gap_max: fc.integer({ min: 0, max: 20 }),
      registers_max: fc.integer({ min: 4, max: 125 }),
    });
    fc.assert(
      fc.property(fc.array(range), own, (ranges, limit) => {
        const blocks = blocksOf(ranges, limit);
        expect(blocks.flatMap((b) => b.ranges).length).toBe(ranges.length);
        for (const block of blocks) {
          expect(block.count).toBeLessThanOrEqual(limit.registers_max);
          for (const own_range of block.ranges) {
            expect(own_range.address).toBeGreaterThanOrEqual(block.address);
            expect(own_range.address + own_range.count).toBeLessThanOrEqual(block.address + block.count);
            expect([own_range.unit_id, own_range.table]).toEqual([block.unit_id, block.table]);
          }
        }
      }),
    );
  });
});
