import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRegisters, encodeRegisters, registerBits } from "../../../agent/devices/modbus-values.ts";
import {
  MODBUS_WORDS,
  type ModbusEncoding,
  type ModbusType,
} from "../../../shared/contracts/devices/modbus.ts";

const big = { word_order: "big", byte_order: "big" } as const;
const hex = (value: number, encoding: ModbusEncoding) => encodeRegisters(value, encoding).toString("hex");

const NUMBERS: Record<ModbusType, fc.Arbitrary<number>> = {
  int16: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  uint16: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: fc.maxSafeInteger(),
  uint64: fc.maxSafeNat(),
  float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
};
const TYPES = Object.keys(NUMBERS) as ModbusType[];
const orders = {
  word_order: fc.constantFrom("big", "little"),
  byte_order: fc.constantFrom("big", "little"),
} as const;

describe("numbers in registers", () => {
  it.each(TYPES)("of type %s come back as they went, in any order of words and bytes", (type) => {
    fc.assert(
      fc.property(NUMBERS[type], fc.record(orders), (value, order) => {
        const bytes = encodeRegisters(value, { type, ...order });
        expect(bytes.length).toBe(2 * MODBUS_WORDS[type]);
        // −0 is 0 to an integer.
        expect(decodeRegisters(bytes, { type, ...order })).toBe(/float/.test(type) ? value : value + 0);
      }),
    );
  });

  it("lie in the order that each of the four habits asks for", () => {
    const float = { type: "float32" } as const;
    expect(hex(123.456, { ...float, ...big })).toBe("42f6e979");
    expect(hex(123.456, { ...float, word_order: "little", byte_order: "big" })).toBe("e97942f6");
    expect(hex(123.456, { ...float, word_order: "big", byte_order: "little" })).toBe("f64279e9");
    expect(hex(123.456, { ...float, word_order: "little", byte_order: "little" })).toBe("79e9f642");
    expect(hex(-2, { type: "int32", word_order: "little", byte_order: "big" })).toBe("fffeffff");
  });

  it.each([
    ["int16", 32_768],
    ["int16", -32_769],
    ["uint16", -1],
    ["uint16", 65_535.5],
    ["uint32", 2 ** 32],
    ["float32", 1e39],
    ["float64", Number.NaN],
    ["uint16", Number.NaN],
    ["float32", Number.POSITIVE_INFINITY],
  ] as const)("of type %s do not wrap: %d is refused", (type, value) => {
    expect(() => encodeRegisters(value, { type, ...big })).toThrow(RangeError);
  });

  it("have bits that do not depend on their type", () => {
    expect(registerBits(Buffer.from("8000", "hex"), { type: "int16", ...big })).toBe(0x8000);
    const nan = Buffer.from("00007fc0", "hex");
    expect(registerBits(nan, { type: "float32", word_order: "little", byte_order: "big" })).toBe(0x7fc0_0000);
  });
});
