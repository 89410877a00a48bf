import { ObjectType } from "net-snmp";
import { describe, expect, it } from "vitest";
import { numberOf } from "../../../agent/devices/snmp-values.ts";

const object = (type: ObjectType, value: Buffer | number | null) => ({ oid: "1.3", type, value });
const text = (value: string) => numberOf(object(ObjectType.OctetString, Buffer.from(value, "latin1")));
const opaque = (hex: string) => numberOf(object(ObjectType.Opaque, Buffer.from(hex, "hex")));

describe("SNMP values as numbers", () => {
  it.each([
    ["23.4", 23.4],
    [" -5 ", -5],
    ["23.4 C", 23.4],
    ["71°F", 71],
    ["55 %", 55],
    ["1e3", 1000],
    ["12\0", 12],
    ["", null],
    ["n/a", null],
    ["1.2.3", null],
    ["10 of 20", null],
  ])("text %j is %s", (value, expected) => {
    expect(text(value)).toBe(expected);
  });

  it("64-bit counters lose nothing that a number can hold", () => {
    expect(numberOf(object(ObjectType.Counter64, Buffer.from("00ffffffffffff", "hex")))).toBe(2 ** 48 - 1);
    expect(numberOf(object(ObjectType.Counter64, Buffer.alloc(0)))).toBeNull();
  });

  it("opaque floats and doubles are unwrapped, other opaque values are none", () => {
    expect(opaque("9f780441bb3333")).toBeCloseTo(23.4);
    expect(opaque("9f79084037666666666666")).toBeCloseTo(23.4);
    expect(opaque("9f78047fc00000")).toBeNull();
    expect(opaque("0401ff")).toBeNull();
    expect(opaque("")).toBeNull();
  });

  it("addresses and names are none", () => {
    expect(numberOf(object(ObjectType.Null, null))).toBeNull();
    expect(numberOf(object(ObjectType.IpAddress, Buffer.from([10, 0, 0, 1])))).toBeNull();
  });
});
