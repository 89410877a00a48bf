import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver, drivenDevice } from "../../agent/actuators/index.ts";
import { sensorDriver } from "../../agent/sensors/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { hasBmc, startBmc } from "../support/bmc.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary.ts";

const log = createLog("test", "silent");
const clock = systemClock();

async function sensorsOf(connection: object, points: object[], changes: object = {}) {
  const device = { name: "bmc", driver: "ipmi", ...connection, poll_s: 0.3, retries: 0, points, ...changes };
  const { sensors } = AgentConfig.parse({ rack_id: "R-A-01", sensors: { devices: [device] } });
  const driver = sensorDriver(sensors, clock, log);
  await driver.open();
  return driver;
}

describe.skipIf(!hasBmc)("a management controller (OpenIPMI's simulator, lanplus) read by ipmitool", () => {
  it("tells temperatures, fans and power, and what changes there changes here", async () => {
    const bmc = await startBmc();
    const driver = await sensorsOf(bmc.connection, [
      { field: "inlet_c", sensor: "Inlet Temp" },
      { field: "outlet_c", sensor: "exhaust*" },
      { field: "fan_rpm_pct", sensor: "Fan?", full_scale_rpm: 12_000 },
      { field: "pdu_kw", sensor: "Pwr Consumption" },
    ]);
    const expected = { inlet_c: 24, outlet_c: 37, fan_rpm_pct: 55, pdu_kw: 0.81 };
    expect((await driver.read()).values).toMatchObject(expected);
    bmc.set("inlet", 31);
    await eventually("the new inlet arrives", async () => (await driver.read()).values.inlet_c === 31);
    await driver.close();
  });

  it("that calls its inlet critical is believed: 52 °C is a measurement, not a fault", async () => {
    const bmc = await startBmc();
    bmc.set("inlet", 52);
    await eventually("the controller calls it critical", async () =>
      (await bmc.tool("-c", "sdr", "list", "full")).includes("Inlet Temp,52,degrees C,cr"),
    );
    const driver = await sensorsOf(bmc.connection, [{ field: "inlet_c", sensor: "Inlet Temp" }]);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 52 }, quality: {} });
    await driver.close();
  });

  it("tells the power of the chassis by DCMI", async () => {
    const bmc = await startBmc();
    const changes = { privilege: "administrator" };
    const driver = await sensorsOf(bmc.connection, [{ field: "pdu_kw", dcmi: "power" }], changes);
    expect((await driver.read()).values.pdu_kw).toBe(0.3);
    await driver.close();
  });

  it("whose sensors are switched off or not there says nothing on them", async () => {
    const bmc = await startBmc();
    const driver = await sensorsOf(bmc.connection, [
      { field: "inlet_c", sensor: "Inlet Temp" },
      { field: "outlet_c", sensor: "Outlet Temp" },
      { field: "fan_rpm_pct", sensor: "Fan3", full_scale_rpm: 12_000 },
    ]);
    expect((await driver.read()).values).toMatchObject({ inlet_c: 24, outlet_c: null, fan_rpm_pct: null });
    await driver.close();
  });

  it("that tells rpm where percent are configured is not misread", async () => {
    const bmc = await startBmc();
    const driver = await sensorsOf(bmc.connection, [{ field: "fan_rpm_pct", sensor: "Fan1" }]);
    expect((await driver.read()).values.fan_rpm_pct).toBeNull();
    await driver.close();
  });

  it("is read with a cache of its sensor list, as ipmitool writes it", async () => {
    const bmc = await startBmc();
    const sdr_cache = join(temporaryFolder(), "bmc.sdr");
    await bmc.tool("sdr", "dump", sdr_cache);
    const driver = await sensorsOf(bmc.connection, [{ field: "inlet_c", sensor: "Inlet Temp" }], {
      sdr_cache,
    });
    expect((await driver.read()).values.inlet_c).toBe(24);
    await driver.close();
  });

  it("takes its password from a file, and refuses a wrong one", async () => {
    const bmc = await startBmc();
    const file = join(temporaryFolder(), "password");
    writeFileSync(file, `${bmc.connection.password}\n`);
    const points = [{ field: "inlet_c", sensor: "Inlet Temp" }];
    const right = await sensorsOf({ ...bmc.connection, password: { file } }, points);
    expect((await right.read()).values.inlet_c).toBe(24);
    const wrong = await sensorsOf({ ...bmc.connection, password: "guess" }, points);
    expect((await wrong.read()).values.inlet_c).toBeNull();
    await Promise.all([right.close(), wrong.close()]);
  });

  it("that goes away leaves its values to grow old, then nothing", async () => {
    const bmc = await startBmc();
    const changes = { timeout_s: 0.5, stale_after_s: 1.5 };
    const driver = await sensorsOf(bmc.connection, [{ field: "inlet_c", sensor: "Inlet Temp" }], changes);
    expect((await driver.read()).values.inlet_c).toBe(24);
    bmc.stop();
    await eventually("the inlet is missing", async () => (await driver.read()).values.inlet_c === null);
    await driver.close();
  });
});

async function fansOf(bmc: Awaited<ReturnType<typeof startBmc>>, how: object) {
  const config = AgentConfig.parse({
    rack_id: "R-A-01",
    actuators: { fan_rpm_pct: { fail_safe: 80 } },
    drives: [
      { name: "bmc", driver: "ipmi", ...bmc.connection, targets: [{ target: "fan_rpm_pct", ...how }] },
    ],
  });
  const driver = actuatorDriver(config, clock, log);
  const gate = (value: number | null) =>
    driveThroughGate(driver, config.actuators, { target: "fan_rpm_pct", value, mode: "closed_loop" }, clock);
  return { driver, gate, device: drivenDevice(config.drives[0]!, clock, log).device };
}

describe.skipIf(!hasBmc)("fans driven by raw commands of a management controller", () => {
  it("obey as on a Supermicro: set, read back, handed back", async () => {
    const bmc = await startBmc();
    const { gate, driver } = await fansOf(bmc, { profile: "supermicro" });
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: null, now: 70 });
    expect(await bmc.tool("raw", "0x30", "0x70", "0x66", "0x00", "0x01")).toBe("46");
    await driver.failSafe();
    expect(await driver.read("fan_rpm_pct")).toBe(80);
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 80, now: null });
    expect(await bmc.tool("raw", "0x30", "0x45", "0x00")).toBe("00");
  });

  it("obey as on a Dell, which cannot be asked: what it took without complaint counts", async () => {
    const bmc = await startBmc();
    const { gate } = await fansOf(bmc, { profile: "dell" });
    expect(await bmc.tool("raw", "0x30", "0x30", "0xff")).toBe("01 1e");
    expect(await gate(65)).toMatchObject({ outcome: "applied", from: null, now: 65 });
    expect(await bmc.tool("raw", "0x30", "0x30", "0xff")).toBe("00 41");
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 65, now: null });
    expect(await bmc.tool("raw", "0x30", "0x30", "0xff")).toBe("01 41");
  });

  it("that were only half set are handed back to the controller", async () => {
    const bmc = await startBmc();
    const { gate } = await fansOf(bmc, { profile: "dell" });
    expect(await gate(77)).toMatchObject({ outcome: "refused" });
    expect(await bmc.tool("raw", "0x30", "0x30", "0xff")).toBe("01 1e");
  });

  it("take bytes of another scale, and no value that is no byte", async () => {
    const bmc = await startBmc();
    const own = {
      set: ["0x30 0x30 0x01 0x00", "0x30 0x30 0x02 0xff {value}"],
      auto: ["0x30 0x30 0x01 0x01"],
      get: { bytes: "0x30 0x30 0xff", byte: 1 },
      scale: 2.55,
    };
    const { gate, device } = await fansOf(bmc, own);
    expect(await gate(100)).toMatchObject({ outcome: "applied", now: 100 });
    expect(await bmc.tool("raw", "0x30", "0x30", "0xff")).toBe("00 ff");
    const never = AbortSignal.any([]);
    await device.open();
    await expect(device.write("fan_rpm_pct", 101, never)).rejects.toMatchObject({ code: "SKADI_LIMIT" });
    expect(await bmc.tool("raw", "0x30", "0x30", "0xff")).toBe("00 ff");
  });
});
