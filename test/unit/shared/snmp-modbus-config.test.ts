import { describe, expect, it } from "vitest";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";

/** Where a sensor's or a drive's configuration is wrong, and how: "path: message". */
function problems(kind: "sensor" | "drive", device: object): string[] {
  const named = { name: "x", host: "10.0.0.1", ...device };
  const raw = kind === "sensor" ? { sensors: { devices: [named] } } : { drives: [named] };
  const { error } = AgentConfig.safeParse({ rack_id: "R-A-01", ...raw });
  return (error?.issues ?? []).map(
    ({ path, message }) => `${path.slice(kind === "sensor" ? 3 : 2).join(".")}: ${message}`,
  );
}

describe("an SNMP configuration", () => {
  const snmp = (own: object) => problems("sensor", { driver: "snmp", community: "c", ...own });
  const points = (own: object) => snmp({ points: [{ field: "inlet_c", ...own }] });

  it.each([
    [{ profile: "apc_rpdu2" }, []],
    [{ profile: "entity_sensor", inlet_probes: [10] }, []],
    [
      { profile: "apc_rpdu2", user: { name: "u" } },
      ["community: either community (SNMPv2c) or user (SNMPv3)"],
    ],
    [{ profile: "entity_sensor" }, ["points: at least one point, or a profile's"]],
    [{}, ["points: at least one point, or a profile's"]],
    [{ inlet_probes: [1] }, ["profile: needed where there is power, inlet_probes or outlet_probes"]],
  ])("%j: %j", (own, expected) => {
    expect(snmp(own)).toEqual(expected);
  });

  it.each([
    [{ oid: ".1.3.6.1.4.1.99999.1.0" }, []],
    [{ oid: "sysUpTime.0" }, ["points.0.oid: an OID in numbers, such as 1.3.6.1.2.1.1.3.0"]],
    [{}, ["points.0.oid: exactly one of oid, oids, column"]],
    [{ oid: "1.3.6", column: "1.3.6" }, ["points.0.oid: exactly one of oid, oids, column"]],
    [{ oid: "1.3.6", instances: [1] }, ["points.0.instances: only with column"]],
    [{ oid: "1.3.6", unit: "watt" }, ["points.0.unit: one of celsius, fahrenheit, kelvin"]],
  ])("with a point %j: %j", (own, expected) => {
    expect(points(own)).toEqual(expected);
  });

  it("takes no password for secrecy without one for identity", () => {
    const user = { name: "u", priv: { password: "12345678" } };
    expect(snmp({ community: undefined, user, profile: "apc_rpdu2" })).toEqual([
      "user.auth: needed where there is priv",
    ]);
  });
});

describe("a Modbus configuration", () => {
  it.each([
    [{ address: [0, 1] }, []],
    [{ address: 65_535, type: "float32" }, ["points.0.address: room for float32 below 65536"]],
    [{ address: 1, table: "coil", type: "int16" }, ["points.0.type: none: a coil is 0 or 1"]],
  ])("with a point %j: %j", (own, expected) => {
    expect(problems("sensor", { driver: "modbus", points: [{ field: "inlet_c", ...own }] })).toEqual(
      expected,
    );
  });

  it.each([
    [{ address: 1, type: "float32" }, []],
    [{ address: 1, type: "float32", function_code: 6 }, ["targets.0.function_code: 16 for float32"]],
    [{ address: 1, scale: 0 }, ["targets.0.scale: not 0"]],
    [
      { address: 1, type: "int32", read: { address: 65_535 } },
      ["targets.0.address: room for int32 below 65536"],
    ],
  ])("with a target %j: %j", (own, expected) => {
    const targets = [{ target: "pump_rpm_pct", ...own }];
    expect(problems("drive", { driver: "modbus", targets })).toEqual(expected);
  });
});
