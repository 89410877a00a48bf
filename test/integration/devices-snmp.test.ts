import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { promisify } from "node:util";
import snmp from "net-snmp";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEVICE_LOGINS } from "../../sim/devices/serve.ts";
import { FAN_TRAY_OID } from "../../sim/devices/snmp/fan-tray.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { RACK, snmpV2c, snmpV3, startDevices } from "./devices-harness.ts";

const RPDU2 = "1.3.6.1.4.1.318.1.1.26";
const PX = "1.3.6.1.4.1.13742.6";
const GEIST = "1.3.6.1.4.1.21239.5.2";
const FAN_SETPOINT = `${FAN_TRAY_OID}.1.1.0`;
const FAN_MODE = `${FAN_TRAY_OID}.1.2.0`;
const [MONITOR, OPERATOR] = DEVICE_LOGINS.snmp_users as [
  (typeof DEVICE_LOGINS.snmp_users)[number],
  (typeof DEVICE_LOGINS.snmp_users)[number],
];

const sum = (values: readonly unknown[]) => values.reduce<number>((total, value) => total + Number(value), 0);

describe("the rack PDU as an APC rPDU2", () => {
  it("gives power in hundredths of kW, energy in tenths of kWh and temperatures in tenths of a degree", async () => {
    const { plant, clock, devices } = await startDevices();
    clock.advance(600_000);
    const { pdu_kw, inlet_c, outlet_c } = plant.read(RACK);

    const [power, energy, top, middle, bottom, outlet] = await snmpV2c(devices, "public").get(
      `${RPDU2}.4.3.1.5.1`,
      `${RPDU2}.4.3.1.9.1`,
      ...[1, 2, 3, 4].map((probe) => `${RPDU2}.10.2.2.1.8.${probe}`),
    );

    expect(power!.value).toBe(Math.round(pdu_kw! * 100));
    // 600 s at 6 to 11 kW.
    expect(energy!.value).toBeGreaterThanOrEqual(10);
    expect(energy!.value).toBeLessThanOrEqual(19);
    expect(middle!.value).toBe(Math.round(inlet_c! * 10));
    expect(sum([top!.value, middle!.value, bottom!.value]) / 3).toBeCloseTo(inlet_c! * 10, 0);
    expect(Number(top!.value)).toBeGreaterThan(Number(bottom!.value));
    expect(outlet!.value).toBe(Math.round(outlet_c! * 10));
  });

  it("has phases and metered outlets whose powers add up to the rack's", async () => {
    const { plant, devices } = await startDevices();
    const client = snmpV2c(devices, "public");
    const phases = await client.walk(`${RPDU2}.6.3.1.7`);
    const outlets = await client.walk(`${RPDU2}.9.4.3.1.7`);
    const { pdu_kw } = plant.read(RACK);
    expect(phases.size).toBe(3);
    expect(sum([...phases.values()])).toBe(Math.round(pdu_kw! * 100));
    expect(outlets.size).toBe(2);
    expect(sum([...outlets.values()])).toBe(Math.round(pdu_kw! * 1000));
  });

  it("says −1 and commsLost where a probe gives no answer", async () => {
    const { plant, devices } = await startDevices();
    plant.inject({ kind: "sensor_dropout", rack_id: RACK, field: "outlet_c", severity: 1 });
    const [value, status] = await snmpV2c(devices, "public").get(
      `${RPDU2}.10.2.2.1.8.4`,
      `${RPDU2}.10.2.2.1.6.4`,
    );
    expect(value!.value).toBe(-1);
    expect(status!.value).toBe(3);
  });

  it("answers for an index or object that it does not have with noSuchInstance or noSuchObject", async () => {
    const { devices } = await startDevices();
    const [instance, object] = await snmpV2c(devices, "public").get(
      `${RPDU2}.4.3.1.5.2`,
      `${PX}.5.2.3.1.4.1.1.5`,
    );
    expect(instance!.type).toBe(snmp.ObjectType.NoSuchInstance);
    expect(object!.type).toBe(snmp.ObjectType.NoSuchObject);
  });
});

describe("the rack PDU as a Raritan PX", () => {
  it("gives whole numbers that the decimal digits scale", async () => {
    const { plant, devices } = await startDevices({ profile: "raritan" });
    const client = snmpV2c(devices, "public");
    const { pdu_kw, inlet_c } = plant.read(RACK);
    const [power, power_digits, current, current_digits] = await client.get(
      `${PX}.5.2.3.1.4.1.1.5`,
      `${PX}.3.3.4.1.7.1.1.5`,
      `${PX}.5.2.3.1.4.1.1.1`,
      `${PX}.3.3.4.1.7.1.1.1`,
    );
    const watts = Number(power!.value) / 10 ** Number(power_digits!.value);
    expect(watts).toBe(Math.round(pdu_kw! * 1000));
    expect((Number(current!.value) / 10 ** Number(current_digits!.value)) * 230 * 0.98).toBeCloseTo(watts, 0);

    const outlets = await client.walk(`${PX}.5.4.3.1.4.1`);
    expect(sum(["1.5", "2.5"].map((index) => outlets.get(`${PX}.5.4.3.1.4.1.${index}`)))).toBe(watts);

    const names = await client.walk(`${PX}.3.6.3.1.4`);
    expect([...names.values()]).toEqual(["Inlet Top", "Inlet Middle", "Inlet Bottom", "Outlet"]);
    const [middle] = await client.get(`${PX}.5.5.3.1.4.1.2`);
    expect(Number(middle!.value) / 10).toBeCloseTo(inlet_c!, 5);
  });

  it("says unavailable where a sensor gives no answer", async () => {
    const { plant, devices } = await startDevices({ profile: "raritan" });
    plant.inject({ kind: "sensor_dropout", rack_id: RACK, field: "pdu_kw", severity: 1 });
    const [available, state] = await snmpV2c(devices, "public").get(
      `${PX}.5.2.3.1.2.1.1.5`,
      `${PX}.5.2.3.1.3.1.1.5`,
    );
    expect(available!.value).toBe(2);
    expect(state!.value).toBe(-1);
  });
});

describe("the rack PDU as a Vertiv Geist", () => {
  it("gives watts and tenths of °C", async () => {
    const { plant, devices } = await startDevices({ profile: "vertiv" });
    const client = snmpV2c(devices, "public");
    const { pdu_kw, outlet_c } = plant.read(RACK);
    const [power, outlet] = await client.get(`${GEIST}.3.1.1.9.1`, `${GEIST}.4.1.5.4`);
    expect(power!.value).toBe(Math.round(pdu_kw! * 1000));
    expect(outlet!.value).toBe(Math.round(outlet_c! * 10));
    expect(sum([...(await client.walk(`${GEIST}.3.2.1.12`)).values()])).toBe(power!.value);
  });

  it("has no instance of a value that cannot be read, walks pass over it, and it comes back", async () => {
    const { plant, devices } = await startDevices({ profile: "vertiv" });
    const client = snmpV2c(devices, "public");
    const before = await client.walk("1.3.6.1.4.1");
    const handle = plant.inject({ kind: "sensor_dropout", rack_id: RACK, field: "pdu_kw", severity: 1 });

    const [power] = await client.get(`${GEIST}.3.1.1.9.1`);
    expect(power!.type).toBe(snmp.ObjectType.NoSuchInstance);
    const during = await client.walk("1.3.6.1.4.1");
    const gone = [...before.keys()].filter((oid) => !during.has(oid));
    // Total real and apparent power, and current and power of three phases and two outlets.
    expect(gone).toHaveLength(2 + 2 * 5);
    expect(during.get(`${GEIST}.3.1.1.5.1`)).toBe(0);

    plant.clear(handle);
    expect([...(await client.walk("1.3.6.1.4.1")).keys()]).toEqual([...before.keys()]);
  });
});

describe("who may read and write by SNMP", () => {
  it("lets the write community set the fan tray, and the plant follows", async () => {
    const { plant, clock, devices } = await startDevices();
    const client = snmpV2c(devices, "private");
    await client.set(FAN_SETPOINT, 850);
    expect(plant.target(RACK, "fan_rpm_pct")).toBe(85);
    clock.advance(120_000);
    expect(plant.truth(RACK).fan_rpm_pct).toBeCloseTo(85, 0);
    expect((await client.get(FAN_MODE))[0]!.value).toBe(2);

    await client.set(FAN_MODE, 1);
    expect(plant.target(RACK, "fan_rpm_pct")).toBeNull();
  });

  it("refuses a setpoint outside of the device's range, and nothing changes", async () => {
    const { plant, devices } = await startDevices();
    const client = snmpV2c(devices, "private");
    for (const value of [399, 1001, -1]) {
      await expect(client.set(FAN_SETPOINT, value)).rejects.toThrow(/wrongvalue/i);
    }
    await expect(client.set(FAN_MODE, 3)).rejects.toThrow(/wrongvalue/i);
    expect(plant.target(RACK, "fan_rpm_pct")).toBeNull();
  });

  it("refuses a set of a measurement, and any set with the read community", async () => {
    const { plant, devices } = await startDevices();
    await expect(snmpV2c(devices, "private").set(`${RPDU2}.4.3.1.5.1`, 1)).rejects.toThrow(/notwritable/i);
    await expect(snmpV2c(devices, "public").set(FAN_SETPOINT, 850)).rejects.toThrow(/noaccess/i);
    expect(plant.target(RACK, "fan_rpm_pct")).toBeNull();
  });

  it("gives no data to a wrong community or a wrong v3 key", async () => {
    const { devices } = await startDevices();
    await expect(snmpV2c(devices, "guess").get("1.3.6.1.2.1.1.1.0")).rejects.toThrow(/timed out/i);
    const forged = snmpV3(devices, { ...MONITOR, auth_key: "another-key-of-mine" });
    await expect(forged.get("1.3.6.1.2.1.1.1.0")).rejects.toThrow();
    const stranger = snmpV3(devices, { ...MONITOR, name: "nobody" });
    await expect(stranger.get("1.3.6.1.2.1.1.1.0")).rejects.toThrow();
  });

  it("drops a request that is none, and goes on serving", async () => {
    const { devices } = await startDevices();
    // A well-formed GET but for its OID, which begins with 7.
    const request = "302602010104067075626c6963a019020101020100020100300e300c0608ff060102010101000500";
    const socket = createSocket("udp4");
    onTestFinished(() => {
      socket.close();
    });
    await new Promise((resolve) => {
      socket.send(Buffer.from(request, "hex"), devices.snmp.port, devices.host, resolve);
    });
    const [name] = await snmpV2c(devices, "public").get("1.3.6.1.2.1.1.5.0");
    expect(String(name!.value)).toBe(RACK);
  });

  it("knows v3 users with authentication and privacy: one reads, the other sets", async () => {
    const { plant, devices } = await startDevices();
    const monitor = snmpV3(devices, MONITOR);
    expect(String((await monitor.get("1.3.6.1.2.1.1.5.0"))[0]!.value)).toBe(RACK);
    await expect(monitor.set(FAN_SETPOINT, 800)).rejects.toThrow(/noaccess/i);
    await snmpV3(devices, OPERATOR).set(FAN_SETPOINT, 800);
    expect(plant.target(RACK, "fan_rpm_pct")).toBe(80);
  });
});

describe.skipIf(!hasProgram("snmpwalk"))("Net-SNMP's own programs", () => {
  const run = promisify(execFile);

  it.each(["apc", "raritan", "vertiv"] as const)(
    "snmpwalk (GETNEXT) and snmpbulkwalk (GETBULK) list the same for %s",
    async (profile) => {
      const { devices } = await startDevices({ profile });
      const target = `${devices.host}:${devices.snmp.port}`;
      const walk = async (program: string) => {
        const { stdout } = await run(program, ["-v2c", "-c", "public", "-On", target, "1.3.6.1.4.1"]);
        // How often the end of the tree is told is up to the agent (RFC 3416 §4.2.3).
        return stdout.split("\n").filter((line) => line !== "" && !line.includes("No more variables"));
      };
      const by_next = await walk("snmpwalk");
      expect(await walk("snmpbulkwalk")).toEqual(by_next);
      expect(by_next.length).toBeGreaterThan(60);
    },
  );

  it("snmpget reads with SNMPv3 and snmpset is refused out of range", async () => {
    const { devices } = await startDevices();
    const target = `${devices.host}:${devices.snmp.port}`;
    const { name, auth_key, priv_key } = OPERATOR;
    const login = [
      "-v3",
      "-l",
      "authPriv",
      "-u",
      name,
      "-a",
      "SHA",
      "-A",
      auth_key,
      "-x",
      "AES",
      "-X",
      priv_key,
    ];
    const { stdout } = await run("snmpget", [...login, "-Oqv", target, "1.3.6.1.2.1.1.5.0"]);
    expect(stdout.trim()).toBe(`"${RACK}"`);
    await expect(run("snmpset", [...login, target, FAN_SETPOINT, "i", "1200"])).rejects.toThrow(/wrongValue/);
  });
});
