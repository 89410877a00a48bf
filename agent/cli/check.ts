import { accessSync, constants, mkdirSync } from "node:fs";
import Table from "cli-table3";
import mqtt from "mqtt";
import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { DriveDeviceConfig, SensorDeviceConfig } from "../../shared/contracts/devices/index.ts";
import { type Rejection, SkadiError } from "../../shared/errors.ts";
import { readHealthFile } from "../../shared/ims/health-file.ts";
import { readModelFile } from "../../shared/ims/model-file.ts";
import { createLog, type Log } from "../../shared/log.ts";
import { readPublicKey } from "../../shared/signing.ts";
import { systemClock } from "../../shared/time.ts";
import { drivenDevice } from "../actuators/index.ts";
import { withDeadline } from "../devices/deadline.ts";
import { modelFiles, readModelCache } from "../models/cache.ts";
import { agentConfig, type ConfigFlag } from "./config.ts";
import { probe } from "./probe.ts";

const CONNECT_TIMEOUT_MS = 5_000;

interface CheckResult {
  what: string;
  ok: boolean;
  detail: string;
  ms: number;
}

/** `skadi-agent check`: the configuration, and everything that it names, one line each; nothing is driven. */
export async function check(flags: ConfigFlag & { json?: boolean }): Promise<void> {
  const config = agentConfig(flags);
  const log = createLog("skadi-agent", config.log.level);
  const results = await Promise.all([
    ...sensorChecks(config, log),
    ...config.drives.map((drive) => timed(`drive ${drive.name}`, () => checkDrive(drive, log))),
    timed("broker", () => checkBroker(config)),
    timed("model", async () => checkModel(config)),
    timed("health", async () => checkHealth(config)),
    timed("trust", async () => {
      if (!config.trust.public_key_file) return "no public key: every command is refused";
      readPublicKey(config.trust.public_key_file);
      return config.trust.public_key_file;
    }),
    timed("state", async () => {
      mkdirSync(config.model.cache_dir, { recursive: true });
      accessSync(config.model.cache_dir, constants.W_OK);
      return `${config.model.cache_dir} can be written`;
    }),
  ]);
  if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else {
    const table = new Table({
      head: ["what", "result", "detail", "ms"],
      style: { head: [], border: [] },
      colWidths: [null, null, 70, null],
      wordWrap: true,
    });
    for (const r of results) table.push([r.what, r.ok ? "ok" : "FAILED", r.detail, r.ms.toFixed(0)]);
    process.stdout.write(`${table.toString()}\n`);
  }
  if (results.some((r) => !r.ok)) process.exitCode = 1;
}

async function timed(what: string, test: () => Promise<string>): Promise<CheckResult> {
  const started = performance.now();
  try {
    return { what, ok: true, detail: await test(), ms: performance.now() - started };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { what, ok: false, detail, ms: performance.now() - started };
  }
}

function sensorChecks({ sensors }: AgentConfig, log: Log): Promise<CheckResult>[] {
  if (sensors.devices.length > 0) {
    return sensors.devices.map((device) => timed(`sensor ${device.name}`, () => checkSensor(device, log)));
  }
  const nothing = async () => {
    throw new Error("no device is configured: see docs/drivers.md, or run skadi-agent init");
  };
  return [timed("sensors", nothing)];
}

/** A device that answers, but none of whose points does, is as good as absent. */
async function checkSensor(config: SensorDeviceConfig, log: Log): Promise<string> {
  const { answering, silent } = await probe(config, log);
  if (answering.length === 0) throw new Error(`${config.driver}: no value for ${silent.join(", ")}`);
  const unanswered = silent.length > 0 ? `; silent: ${silent.join(", ")}` : "";
  return `${config.driver}: ${answering.join(", ")}${unanswered}`;
}

async function checkDrive(config: DriveDeviceConfig, log: Log): Promise<string> {
  const clock = systemClock();
  const { device, timeout_s } = drivenDevice(config, clock, log);
  try {
    const found: string[] = [];
    await withDeadline(timeout_s * 1000 * device.targets.length, clock, async (signal) => {
      await device.open();
      for (const target of device.targets)
        found.push(`${target} ${(await device.read(target, signal)) ?? "auto"}`);
    });
    return `${config.driver}: ${found.join(", ")}`;
  } finally {
    await device.close();
  }
}

async function checkBroker(config: AgentConfig): Promise<string> {
  const { url, username, password } = config.mqtt;
  const credentials = { ...(username ? { username } : {}), ...(password ? { password } : {}) };
  const options = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectPeriod: 0, ...credentials };
  const client = await mqtt.connectAsync(url, options, false);
  await client.endAsync();
  return url;
}

function checkModel(config: AgentConfig): string {
  const problems: Rejection[] = [];
  const { model, accepted } = readModelCache(modelFiles(config), (found) => problems.push(...found));
  if (model) {
    const found = problems.map(({ message }) => ` (${message})`).join("");
    return `${model.id}, kept from manifest ${accepted?.counter ?? "of an earlier version"}${found}`;
  }
  if (problems.length > 0) throw new SkadiError(problems);
  const { file } = config.model;
  if (!file) return "none yet: the agent waits for one over MQTT";
  const read = readModelFile(file);
  if (!read.ok) throw new SkadiError(read.rejections);
  return read.value.id;
}

function checkHealth({ model }: AgentConfig): string {
  if (!model.health_file) return "none configured: only missing or impossible readings are noticed";
  const read = readHealthFile(model.health_file);
  if (!read.ok) throw new SkadiError(read.rejections);
  return model.health_file;
}
