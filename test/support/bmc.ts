import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { hasProgram } from "./debian-packages.ts";
import { eventually } from "./eventually.ts";
import { freeUdpPort } from "./ports.ts";
import { temporaryFolder } from "./temporary.ts";

export const hasBmc = ["ipmi_sim", "ipmitool", "cc"].every(hasProgram);

const PASSWORD = "calvin-2026";
const BMC = "0x20";
/** Sensor type, unit and slope as a full sensor record has them; a sensor without a file never answers. */
const SENSORS = [
  { number: 1, name: "Inlet Temp", type: 0x01, unit: 1, slope: 1, file: "inlet" },
  { number: 2, name: "Exhaust Temp", type: 0x01, unit: 1, slope: 1, file: "exhaust" },
  { number: 3, name: "Fan1", type: 0x04, unit: 18, slope: 100, file: "fan1" },
  { number: 4, name: "Fan2", type: 0x04, unit: 18, slope: 100, file: "fan2" },
  { number: 5, name: "Fan3", type: 0x04, unit: 18, slope: 100, file: null },
  { number: 6, name: "Pwr Consumption", type: 0x0b, unit: 6, slope: 10, file: "power" },
] as const;

/**
 * OpenIPMI's simulator of a management controller over lanplus on loopback. Its inlet becomes critical at 45 °C.
 * Raw values: degrees, hundreds of rpm, tens of watts.
 */
export async function startBmc() {
  const folder = temporaryFolder();
  const state = join(folder, "state");
  mkdirSync(state);
  const set = (sensor: NonNullable<(typeof SENSORS)[number]["file"]>, raw: number) =>
    writeFileSync(join(folder, sensor), `${raw}\n`);
  set("inlet", 24);
  set("exhaust", 37);
  set("fan1", 60);
  set("fan2", 72);
  set("power", 81);
  const port = await freeUdpPort();
  const [lan, commands, library] = ["lan.conf", "bmc.emu", "commands.so"].map((file) => join(folder, file));
  const source = new URL("bmc-commands.c", import.meta.url).pathname;
  execFileSync("cc", ["-shared", "-fPIC", "-nostdlib", "-o", library!, source]);
  writeFileSync(lan!, lanConfiguration(port, library!));
  writeFileSync(commands!, bmcCommands(folder));
  const child = spawn("ipmi_sim", ["-c", lan!, "-f", commands!, "-s", state, "-n"], { stdio: "ignore" });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });

  const connection = { host: "127.0.0.1", port, username: "skadi", password: PASSWORD, cipher_suite: 3 };
  const network = ["-I", "lanplus", "-H", "127.0.0.1", "-p", String(port), "-U", "skadi", "-C", "3", "-E"];
  const tool = async (...args: string[]) => {
    const env = { ...process.env, IPMI_PASSWORD: PASSWORD };
    return (await promisify(execFile)("ipmitool", [...network, ...args], { env })).stdout.trim();
  };
  await eventually("the simulated controller answers", () => tool("mc", "info"));
  return { connection, set, tool, stop: () => child.kill("SIGKILL") };
}

function lanConfiguration(port: number, library: string): string {
  const levels = ["callback", "user", "operator", "admin"];
  return [
    'name "skadi-test"',
    "startlan 1",
    `addr 127.0.0.1 ${port}`,
    "priv_limit admin",
    ...levels.map((level) => `allowed_auths_${level} md5`),
    "guid a123456789abcdefa123456789abcdef",
    "endlan",
    `user 2 true "skadi" "${PASSWORD}" admin 10`,
    `loadlib "${library}" ""`,
    "",
  ].join("\n");
}

function bmcCommands(folder: string): string {
  const no_events = Array(4).fill("0".repeat(15)).join(" ");
  const hex = (bytes: readonly number[]) => bytes.map((byte) => `0x${byte.toString(16)}`).join(" ");
  return [
    `mc_setbmc ${BMC}`,
    `mc_add ${BMC} 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02`,
    ...SENSORS.flatMap(({ number, type, file }) => {
      if (file === null) return [`sensor_add ${BMC} 0 ${number} ${type} 1`];
      return [
        `sensor_add ${BMC} 0 ${number} ${type} 1 poll 100 file "${join(folder, file)}"`,
        `sensor_set_event_support ${BMC} 0 ${number} enable scanning per-state ${no_events}`,
      ];
    }),
    `sensor_set_threshold ${BMC} 0 1 readable 010000 0xff 45 0xff 0 0 0`,
    ...SENSORS.map((sensor, i) => `main_sdr_add ${BMC} ${hex(fullSensorRecord(i + 1, sensor))}`),
    `mc_enable ${BMC}`,
    "",
  ].join("\n");
}

/** A full sensor record (IPMI 2.0, table 43-1): linear, without offset, unsigned. */
function fullSensorRecord(id: number, sensor: (typeof SENSORS)[number]): number[] {
  const { number, name, type, unit, slope } = sensor;
  const upper_critical_readable = [0x10, 0x10];
  const key = [0x20, 0, number];
  const entity = [0x07, 0x01];
  const kind = [0x7f, 0x48, type, 0x01];
  const units = [0x00, unit, 0x00, 0x00];
  const factors = [slope, 0, 0, 0, 0, 0];
  const ranges = [0, 0, 0, 0, 255, 0];
  const thresholds = [0, 0, 0, 0, 0, 0, 0, 0];
  const named = [0, 0, 0, 0xc0 | name.length, ...Buffer.from(name)];
  const body = [
    ...key,
    ...entity,
    ...kind,
    ...[0, 0, 0, 0],
    ...upper_critical_readable,
    ...units,
    ...factors,
    ...ranges,
    ...thresholds,
    ...named,
  ];
  return [id, 0, 0x51, 0x01, body.length, ...body];
}
