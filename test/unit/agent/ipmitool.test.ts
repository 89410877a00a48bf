import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  ipmitool,
  parseDcmiPower,
  parseRawAnswer,
  parseSensorList,
} from "../../../agent/devices/ipmitool.ts";
import { IpmiDrive, IpmiSensor } from "../../../shared/contracts/devices/ipmi.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("ipmitool's command line, which every user of the machine can list,", () => {
  afterEach(() => vi.unstubAllEnvs());

  /** A program of that name that prints how it was called. */
  function tellTale() {
    const folder = temporaryFolder();
    const script = '#!/bin/sh\necho "$@"\necho "$IPMI_PASSWORD/$IPMITOOL_PASSWORD"\n';
    writeFileSync(join(folder, "ipmitool"), script, { mode: 0o755 });
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
    vi.stubEnv("IPMITOOL_PASSWORD", "of somebody else");
  }
  const called = async (connection: object) => {
    tellTale();
    const sensor = {
      name: "bmc",
      driver: "ipmi",
      points: [{ field: "inlet_c", sensor: "Inlet" }],
      ...connection,
    };
    const run = ipmitool(IpmiSensor.parse(sensor));
    return (await run(["mc", "info"], new AbortController().signal)).trim().split("\n");
  };

  it("has no password: it goes by the environment", async () => {
    const [args, passwords] = await called({ host: "10.0.7.1", username: "skadi", password: "s3cret" });
    expect(args).toBe("-I lanplus -H 10.0.7.1 -p 623 -L USER -U skadi -E mc info");
    expect(passwords).toBe("s3cret/s3cret");
  });

  it("names no host where the machine's own controller is meant", async () => {
    expect((await called({}))[0]).toBe("-I open mc info");
  });

  it("cannot be bent by a host that looks like an option", () => {
    const points = [{ field: "inlet_c", sensor: "Inlet" }];
    const device = { name: "bmc", driver: "ipmi", host: "-P", points };
    expect(IpmiSensor.safeParse(device).success).toBe(false);
    expect(IpmiSensor.safeParse({ ...device, host: undefined, password: "x" }).success).toBe(false);
  });
});

describe("raw commands", () => {
  const accepts = (target: object) =>
    IpmiDrive.safeParse({ name: "bmc", driver: "ipmi", targets: [{ target: "fan_rpm_pct", ...target }] });
  const set = ["0x30 0x30 0x02 0xff {value}"];
  const auto = ["0x30 0x30 0x01 0x01"];

  it("are a profile's, or one's own, or a profile's with some of one's own", () => {
    expect(accepts({ profile: "dell" }).success).toBe(true);
    expect(accepts({ set, auto }).success).toBe(true);
    const mixed = accepts({ profile: "dell", set, byte_max: 50 }).data?.targets[0];
    expect(mixed).toMatchObject({ set, auto, byte_max: 50 });
  });

  it.each([
    ["nothing at all", {}],
    ["no way back to automatic", { set }],
    ["no place for the value", { set: auto, auto }],
    ["a value in the way back", { set, auto: set }],
    ["something that is no byte", { set: ["0x30 0x100 {value}"], auto }],
    ["a command of another kind", { set: ["power off {value}"], auto }],
    ["a scale of nothing", { profile: "dell", scale: 0 }],
  ])("with %s are refused in the configuration", (_, target) => {
    expect(accepts(target).success).toBe(false);
  });
});

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
