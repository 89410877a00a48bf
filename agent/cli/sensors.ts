import { setTimeout as sleep } from "node:timers/promises";
import logUpdate from "log-update";
import type { SensorsConfig } from "../../shared/contracts/devices/index.ts";
import { MEASURED_FIELDS } from "../../shared/contracts/telemetry.ts";
import { createLog } from "../../shared/log.ts";
import { untilStopSignal } from "../../shared/process.ts";
import { systemClock } from "../../shared/time.ts";
import type { SensorRead } from "../sensors/driver.ts";
import { sensorDriver } from "../sensors/index.ts";
import { agentConfig, type ConfigFlag } from "./config.ts";

/** Rates need two polls; a device that is polled more rarely than this shows its rates with `--watch` only. */
const SECOND_POLL_MAX_MS = 6_000;

/** `skadi-agent sensors`: what the configured devices say, once or live. */
export async function sensors(flags: ConfigFlag & { json?: boolean; watch?: boolean }): Promise<void> {
  const config = agentConfig(flags);
  const driver = sensorDriver(config.sensors, systemClock(), createLog("skadi-agent", "warn"));
  await driver.open();
  const print = async () => {
    const read = await driver.read();
    if (flags.json) process.stdout.write(`${JSON.stringify({ ...read.values, quality: read.quality })}\n`);
    else if (flags.watch && process.stdout.isTTY) logUpdate(table(read));
    else process.stdout.write(`${table(read)}\n`);
  };
  try {
    await driver.read();
    await sleep(secondPollMs(config.sensors));
    await print();
    if (flags.watch) {
      const timer = setInterval(() => void print(), config.loop.sample_s * 1000);
      await untilStopSignal();
      clearInterval(timer);
    }
  } finally {
    await driver.close();
  }
}

function secondPollMs({ devices }: SensorsConfig): number {
  const slowest_ms = Math.max(...devices.map((device) => device.poll_s)) * 1000;
  return Math.min(SECOND_POLL_MAX_MS, 1.2 * slowest_ms);
}

function table({ values, quality }: SensorRead): string {
  return MEASURED_FIELDS.map((field) => {
    const value = values[field];
    const text = value === null ? "missing" : String(Number(value.toPrecision(6)));
    return `${field.padEnd(16)} ${text}${quality?.[field] ? `  (${quality[field]})` : ""}`;
  }).join("\n");
}
