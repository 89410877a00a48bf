import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { startProgram } from "../support/program.ts";
import {
  type Bench,
  metrics,
  modbusClient,
  RACK,
  redfish,
  snmpV2c,
  startDevices,
  total,
} from "./devices-harness.ts";

/** What every protocol says at this instant, in the plant's units. */
async function everywhere({ devices }: Bench) {
  const snmp = snmpV2c(devices, "public");
  const rpdu2 = "1.3.6.1.4.1.318.1.1.26";
  const [power, inlet, outlet] = await snmp.get(
    `${rpdu2}.4.3.1.5.1`,
    `${rpdu2}.10.2.2.1.8.2`,
    `${rpdu2}.10.2.2.1.8.4`,
  );
  const modbus = await modbusClient(devices);
  const { data: registers } = await modbus.readInputRegisters(0, 8);
  const { body: thermal } = await redfish(devices, "/redfish/v1/Chassis/1/Thermal");
  const { body: environment } = await redfish(devices, "/redfish/v1/Chassis/1/EnvironmentMetrics");
  const page = await metrics(devices);
  return {
    pdu_kw: [Number(power!.value) / 100, registers[7]! / 100, environment.PowerWatts.Reading / 1000],
    inlet_c: [Number(inlet!.value) / 10, registers[4]! / 10, thermal.Temperatures[0].ReadingCelsius],
    outlet_c: [Number(outlet!.value) / 10, registers[5]! / 10, thermal.Temperatures[1].ReadingCelsius],
    fan_rpm_pct: [registers[1]! / 10, thermal.Fans[0].Reading],
    gpu_c: [total(page, "DCGM_FI_DEV_GPU_TEMP")! / 8],
    gpu_kw: [total(page, "DCGM_FI_DEV_POWER_USAGE")! / 1000],
  };
}

describe("one rack behind four protocols", () => {
  it("says the same over all of them", async () => {
    const bench = await startDevices();
    bench.clock.advance(90_000);
    const said = await everywhere(bench);
    const readings = bench.plant.read(RACK);
    for (const field of ["pdu_kw", "inlet_c", "outlet_c", "fan_rpm_pct"] as const) {
      for (const value of said[field]) expect(value, field).toBeCloseTo(readings[field]!, 2);
    }
    expect(said.gpu_kw[0]).toBeCloseTo(bench.plant.truth(RACK).gpu_kw, 2);
  });

  it("warms up over all of them when the pump wears out", async () => {
    const bench = await startDevices();
    const before = await everywhere(bench);
    bench.plant.inject({ kind: "pump_degradation", rack_id: RACK, severity: 0.9 });
    bench.clock.advance(600_000);
    const after = await everywhere(bench);
    after.outlet_c.forEach((value, i) => {
      expect(value).toBeGreaterThan(before.outlet_c[i]! + 4);
    });
    expect(after.gpu_c[0]).toBeGreaterThan(before.gpu_c[0]! + 4);
  });

  it("shows over one protocol what was set over another", async () => {
    const { plant, devices } = await startDevices();
    const body = { SetPoint: 88 };
    await redfish(devices, "/redfish/v1/Chassis/1/Controls/FanSpeed", { method: "PATCH", body });
    const modbus = await modbusClient(devices);
    expect((await modbus.readHoldingRegisters(2, 2)).data).toEqual([1, 880]);
    const [setpoint] = await snmpV2c(devices, "public").get("1.3.6.1.4.1.8072.9999.9999.26.1.1.0");
    expect(setpoint!.value).toBe(880);
    await modbus.writeRegister(2, 0);
    const { body: control } = await redfish(devices, "/redfish/v1/Chassis/1/Controls/FanSpeed");
    expect(control.ControlMode).toBe("Automatic");
    expect(plant.target(RACK, "fan_rpm_pct")).toBeNull();
  });

  it("gives back every port when one of them cannot be had", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const { port } = blocker.address() as { port: number };
    await expect(startDevices({ redfish_port: port })).rejects.toThrow(/EADDRINUSE/);
    await expect(startDevices({ modbus_port: port })).rejects.toThrow(/EADDRINUSE/);
    const taken = await startDevices();
    await expect(startDevices({ snmp_port: taken.devices.snmp.port })).rejects.toThrow(/EADDRINUSE/);
    await new Promise((resolve) => blocker.close(resolve));
    const { devices } = await startDevices({ redfish_port: port });
    expect(devices.redfish.url).toBe(`http://127.0.0.1:${port}`);
  });
});

describe("skadi-sim devices", () => {
  it("prints its addresses as one JSON line, serves, injects the fault, and stops at SIGTERM", async () => {
    const fault = ["--fault", "sensor_dropout:inlet_c@20"];
    const program = startProgram("sim", [
      "devices",
      "--json",
      "--profile",
      "raritan",
      "--speed",
      "20",
      ...fault,
    ]);
    const [line] = await program.says(/^\{.*\}\n/);
    const addresses = JSON.parse(line);
    expect(addresses).toMatchObject({ rack_id: RACK, snmp: { profile: "raritan" }, modbus: { unit_id: 1 } });
    for (const { port } of [addresses.snmp, addresses.modbus]) expect(port).toBeGreaterThan(0);

    const sensor = async () => {
      const url = `${addresses.redfish.url}/redfish/v1/Chassis/1/Sensors/InletTemp`;
      const response = await fetch(url, { headers: { authorization: `Basic ${btoa("admin:simulated")}` } });
      return ((await response.json()) as { Reading: number | null }).Reading;
    };
    expect(await sensor()).toBeGreaterThan(10);
    await expect.poll(sensor, { timeout: 10_000 }).toBeNull();
    expect((await fetch(addresses.prometheus.url)).status).toBe(200);

    program.process.kill("SIGTERM");
    expect(await program.exit()).toBe(0);
  });

  it.each([
    [["--fault", "earthquake@5"], /expected kind@seconds/],
    [["--fault", "sensor_stuck@5"], /name a sensor/],
    [["--fault", "fan_failure=2@5"], /severity/],
    [["--rack", "C7"], /R-C-07/],
  ])("refuses %j", async (args, message) => {
    const program = startProgram("sim", ["devices", ...args]);
    expect(await program.exit()).not.toBe(0);
    expect(program.stderr()).toMatch(message);
  });
});
