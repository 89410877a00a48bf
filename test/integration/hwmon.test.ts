import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver } from "../../agent/actuators/index.ts";
import { sensorDevice } from "../../agent/sensors/index.ts";
import { pointSignal } from "../../agent/sensors/signal.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { temporaryFolder } from "../support/temporary.ts";

const log = createLog("test", "silent");
const clock = systemClock();
const never = new AbortController().signal;

/** A folder as the kernel has it, with two disks of one name that only their PCI addresses tell apart. */
function hwmonTree() {
  const root = temporaryFolder();
  const chip = (hwmon: string, device: string, files: Record<string, string | number>) => {
    const folder = join(root, hwmon);
    mkdirSync(join(root, "devices", device), { recursive: true });
    mkdirSync(folder);
    symlinkSync(join(root, "devices", device), join(folder, "device"));
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), `${content}\n`);
  };
  chip("hwmon0", "0000:01:00.0", { name: "nvme", temp1_input: 41_850, temp1_label: "Composite" });
  chip("hwmon1", "0000:02:00.0", { name: "nvme", temp1_input: 52_850, temp1_label: "Composite" });
  chip("hwmon2", "nct6775.656", {
    name: "nct6798",
    temp1_input: 23_500,
    temp1_label: "SYSTIN",
    temp2_input: 61_000,
    temp2_label: "CPUTIN",
    fan1_input: 5_400,
    fan2_input: 6_600,
    pwm1: 153,
    pwm1_enable: 5,
    pwm2: 153,
    pwm2_enable: 5,
  });
  chip("hwmon3", "0000:65:00.0", {
    name: "amdgpu",
    power1_average: 310_000_000,
    power1_input: 305_000_000,
    energy1_input: 7_000_000,
  });
  const set = (file: string, content: string | number) => writeFileSync(join(root, file), `${content}\n`);
  const get = (file: string) => readFileSync(join(root, file), "utf8").trim();
  return { root, set, get };
}

function sensorOf(root: string, ...points: object[]) {
  const devices = [{ name: "board", driver: "hwmon", root, points }];
  const { sensors } = AgentConfig.parse({ rack_id: "R-A-01", sensors: { devices } });
  return sensorDevice(sensors.devices[0]!, clock, log);
}

/** The fields' own quantities, as the collector makes them, and the raw readings. */
async function readOnce(root: string, ...points: object[]) {
  const { device, points: configured } = sensorOf(root, ...points);
  await device.open();
  const readings = await device.read(never);
  const values = configured.map((point, i) => pointSignal(point)(0, readings[i]!).value);
  return { values, raw: readings.map((reading) => reading.values) };
}

describe("the kernel's sensors", () => {
  it("come in degrees, watts and percent of full speed, whatever the kernel counts in", async () => {
    const { root } = hwmonTree();
    const { values } = await readOnce(
      root,
      { field: "inlet_c", chip: "nct67*", sensor: "SYSTIN" },
      { field: "pdu_kw", chip: "amdgpu", sensor: "power1" },
      { field: "fan_rpm_pct", chip: "nct6798", sensor: "fan*", full_scale_rpm: 12_000 },
      { field: "pump_rpm_pct", chip: "nct6798", sensor: "pwm1" },
    );
    expect(values[0]).toBeCloseTo(23.5, 9);
    expect(values[1]).toBeCloseTo(0.305, 9);
    expect(values[2]).toBeCloseTo(50, 9);
    expect(values[3]).toBeCloseTo(60, 9);
  });

  it("count energy where that is asked for", async () => {
    const { root } = hwmonTree();
    const energy = { field: "gpu_energy_j", chip: "amdgpu", sensor: "energy1", unit: "joule" };
    expect((await readOnce(root, energy)).raw).toEqual([[7]]);
  });

  it("are found by label or, for want of one, by file; several of one name are told apart by device", async () => {
    const { root } = hwmonTree();
    const { raw } = await readOnce(
      root,
      { field: "outlet_c", chip: "nvme", sensor: "Composite" },
      { field: "outlet_c", chip: "nvme", device: "0000:02:*", sensor: "temp1" },
      { field: "outlet_c", chip: "nvme", sensor: "Sensor 1" },
    );
    expect(raw).toEqual([[41.85, 52.85], [52.85], []]);
  });

  it("keep their places when the kernel numbers its chips anew", async () => {
    const { root, set } = hwmonTree();
    const { device } = sensorOf(root, { field: "outlet_c", chip: "nvme", sensor: "Composite" });
    await device.open();
    await device.read(never);
    renameSync(join(root, "hwmon0"), join(root, "hwmon9"));
    set("hwmon9/temp1_input", 43_000);
    expect((await device.read(never))[0]?.values).toEqual([null, 52.85]);
    expect((await device.read(never))[0]?.values).toEqual([43, 52.85]);
  });

  it("that are gone, broken or asleep are silent, not forgotten", async () => {
    const { root, set } = hwmonTree();
    const { device } = sensorOf(
      root,
      { field: "outlet_c", chip: "nvme", sensor: "Composite" },
      { field: "inlet_c", chip: "nct6798", sensor: "SYSTIN" },
    );
    await device.open();
    renameSync(join(root, "hwmon1"), join(temporaryFolder(), "away"));
    set("hwmon2/temp1_fault", 1);
    expect((await device.read(never)).map(({ values }) => values)).toEqual([[41.85, null], [null]]);
    set("hwmon2/temp1_fault", 0);
    set("hwmon2/temp1_input", "");
    expect((await device.read(never)).map(({ values }) => values)).toEqual([[41.85, null], [null]]);
  });

  it("of a machine without any fail the read", async () => {
    const { device } = sensorOf("/nowhere", { field: "inlet_c", chip: "*", sensor: "*" });
    await expect(device.open()).rejects.toThrow("ENOENT");
  });

  it("in a unit that the kernel does not know are refused in the configuration", () => {
    expect(() => sensorOf("/", { field: "inlet_c", chip: "a", sensor: "b", unit: "kelvin" })).toThrow(
      "celsius, watt, joule, rpm, percent",
    );
  });
});

function fansOf(root: string, pwm: string) {
  const config = AgentConfig.parse({
    rack_id: "R-A-01",
    drives: [
      {
        name: "board",
        driver: "hwmon",
        root,
        targets: [{ target: "fan_rpm_pct", chip: "nct6798", pwm, automatic: 5 }],
      },
    ],
  });
  const driver = actuatorDriver(config, clock, log);
  const gate = (value: number | null) =>
    driveThroughGate(driver, config.actuators, { target: "fan_rpm_pct", value, mode: "closed_loop" }, clock);
  return { gate, driver };
}

describe("fans that the kernel drives", () => {
  it("are taken over, set, read back and handed back", async () => {
    const { root, get } = hwmonTree();
    const { gate } = fansOf(root, "pwm*");
    expect(await gate(80)).toMatchObject({ outcome: "applied", from: null, now: 80 });
    expect(["pwm1", "pwm1_enable", "pwm2", "pwm2_enable"].map((f) => get(`hwmon2/${f}`))).toEqual([
      "204",
      "1",
      "204",
      "1",
    ]);
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 80, now: null });
    expect(get("hwmon2/pwm2_enable")).toBe("5");
  });

  it("of which one was slowed by another hand count by the slowest", async () => {
    const { root, set } = hwmonTree();
    const { gate, driver } = fansOf(root, "pwm*");
    await gate(80);
    set("hwmon2/pwm2", 51);
    expect(await driver.read("fan_rpm_pct")).toBeCloseTo(20, 9);
  });

  it("without any control run at full speed", async () => {
    const { root, set } = hwmonTree();
    set("hwmon2/pwm1_enable", 0);
    expect(await fansOf(root, "pwm1").driver.read("fan_rpm_pct")).toBe(100);
  });

  it("that are not there are refused by name", async () => {
    const { root } = hwmonTree();
    const { outcome, rejection } = await fansOf(root, "pwm7").gate(80);
    expect(outcome).toBe("refused");
    expect(rejection?.message).toContain("pwm7");
  });
});
