import { describe, expect, it } from "vitest";
import { parseDcmiPower, parseRawAnswer, parseSensorList } from "../../../agent/devices/ipmitool.ts";

describe("ipmitool's list of sensors", () => {
  it("gives numbers with their units; disabled sensors and discrete ones give none", () => {
    const text = [
      "Inlet Temp,24,degrees C,ok",
      "Temp,-3,degrees C,ok",
      "Fan1,5040,RPM,ok",
      "Fan2,,,ns",
      "PS1 Voltage,12.10,Volts,ok",
      "PS Redundancy,0x01,ok",
      "",
    ].join("\n");
    expect(parseSensorList(text)).toEqual([
      { name: "Inlet Temp", value: 24, unit: "degrees C" },
      { name: "Temp", value: -3, unit: "degrees C" },
      { name: "Fan1", value: 5_040, unit: "RPM" },
      { name: "Fan2", value: null, unit: "" },
      { name: "PS1 Voltage", value: 12.1, unit: "Volts" },
    ]);
  });

  it.each(["ok", "nc", "cr", "nr", "lcr", "unr"])("believes a sensor in the state %s", (state) => {
    expect(parseSensorList(`Inlet Temp,52,degrees C,${state}`)[0]?.value).toBe(52);
  });

  it.each(["na,degrees C,na", "52,degrees C,ns", "0x80,discrete,0x0180", ",,ns"])(
    "takes %s for silence",
    (rest) => {
      expect(parseSensorList(`Inlet Temp,${rest}`)[0]?.value).toBeNull();
    },
  );

  it("keeps a comma in a name", () => {
    expect(parseSensorList("Temp, left,21,degrees C,ok")[0]).toMatchObject({ name: "Temp, left", value: 21 });
  });
});

describe("ipmitool's power reading", () => {
  const text = (state: string) => `
    Instantaneous power reading:                   410 Watts
    Minimum during sampling period:                 12 Watts
    Maximum during sampling period:                812 Watts
    Average power reading over sample period:      402 Watts
    IPMI timestamp:                           Fri Jan  2 03:04:05 2026
    Sampling period:                          00000001 Seconds.
    Power reading state is:                   ${state}
`;

  it("is the instantaneous one", () => {
    expect(parseDcmiPower(text("activated"))).toBe(410);
  });

  it("counts for nothing while the controller does not measure", () => {
    expect(parseDcmiPower(text("deactivated"))).toBeNull();
    expect(parseDcmiPower("DCMI request failed because: Invalid command (c1)")).toBeNull();
  });
});

describe("ipmitool's answer to a raw command", () => {
  it("is bytes, over several lines when long; none is an answer too", () => {
    expect(parseRawAnswer(" 18 c0 00\n ff")).toEqual([0x18, 0xc0, 0, 0xff]);
    expect(parseRawAnswer("\n")).toEqual([]);
  });
});
