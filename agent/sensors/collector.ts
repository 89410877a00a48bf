import type { CommonPoint } from "../../shared/contracts/devices/common.ts";
import type { SensorsConfig } from "../../shared/contracts/devices/index.ts";
import { MEASURED_FIELDS, type MeasuredField } from "../../shared/contracts/telemetry.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { withDeadline } from "../devices/deadline.ts";
import type { SensorDevice } from "./device.ts";
import type { SensorDriver, SensorRead } from "./driver.ts";
import { combiner, pointSignal } from "./signal.ts";
import type { Part } from "./silent-parts.ts";

/** A device with what its configuration says of it. */
export interface CollectedDevice {
  device: SensorDevice;
  points: readonly CommonPoint[];
  poll_s: number;
  timeout_s: number;
  retries: number;
  stale_after_s?: number | undefined;
  /** How often it has something new to say, where that is less often than it is read. */
  every_s?: number | undefined;
}

/** A device that stays silent is asked again after twice the time, up to this. */
const BACKOFF_MAX_MS = 30_000;

interface Latest extends Part {
  /** A silent part of it is estimated. */
  estimated: boolean;
}

/**
 * Reads every device at its own pace and keeps what each point said last, so that a slow or silent device never delays
 * the others or the guardrail: the agent's read only looks at what is there.
 */
export function collector(options: {
  devices: readonly CollectedDevice[];
  aggregates: SensorsConfig["aggregate"];
  clock: Clock;
  log: Log;
}): SensorDriver {
  const { clock, log } = options;
  const pollers = options.devices.map((device) => poller(device, clock, log));
  const combiners = Object.fromEntries(
    MEASURED_FIELDS.map((field) => [field, combiner(field, options.aggregates[field])]),
  ) as Record<MeasuredField, ReturnType<typeof combiner>>;
  let last_read_ms: number | null = null;

  const fieldNow = (field: MeasuredField, now_ms: number) => {
    const points = pollers.flatMap((p) => p.latest(field, now_ms));
    const { value, doubt } = combiners[field](points);
    const spoke = points.filter((point) => point.value !== null);
    if (doubt === "suspect" || spoke.some((point) => point.suspect))
      return { value, worst: "suspect" } as const;
    return { value, worst: spoke.some((point) => point.stale) ? "stale" : doubt } as const;
  };

  return {
    name: pollers.map((p) => p.name).join("+"),
    async open() {
      await Promise.all(pollers.map((p) => p.start()));
    },
    async read() {
      const now_ms = clock.now();
      const values = {} as SensorRead["values"];
      const quality: NonNullable<SensorRead["quality"]> = {};
      for (const field of MEASURED_FIELDS) {
        const { value, worst } = fieldNow(field, now_ms);
        values[field] = value;
        if (value !== null && worst) quality[field] = worst;
      }
      // Devices tell powers; the energy is what that power was since the previous read.
      const power_w = values.gpu_energy_j;
      const span_ms = last_read_ms === null ? null : now_ms - last_read_ms;
      values.gpu_energy_j = power_w === null || span_ms === null ? null : (power_w * span_ms) / 1000;
      last_read_ms = now_ms;
      return { at_ms: now_ms, values, quality };
    },
    async close() {
      await Promise.all(pollers.map((p) => p.stop()));
    },
  };
}

function poller({ device, points, ...config }: CollectedDevice, clock: Clock, log: Log) {
  const signals = points.map(pointSignal);
  const latest: (Latest | undefined)[] = points.map(() => undefined);
  const poll_ms = config.poll_s * 1000;
  const every_s = Math.max(config.poll_s, config.every_s ?? 0);
  const fresh_ms = (1.5 * every_s + config.timeout_s) * 1000;
  const stale_after_ms = (config.stale_after_s ?? 3 * every_s + config.timeout_s) * 1000;
  let opened = false;
  let running: Promise<void> | null = null;
  let failures = 0;
  let not_before_ms = Number.NEGATIVE_INFINITY;
  let silent = "";
  let stop = () => {};

  const attempt = async () => {
    await withDeadline(config.timeout_s * 1000, clock, async (signal) => {
      if (!opened) await device.open();
      opened = true;
      const readings = await device.read(signal);
      if (signal.aborted) return;
      const now_ms = clock.now();
      readings.forEach((reading, i) => {
        const at_ms = now_ms - (reading.age_ms ?? 0);
        const { value, doubt } = signals[i]!(at_ms, reading);
        const suspect = reading.suspect === true || doubt === "suspect";
        latest[i] = { value, at_ms, suspect, estimated: doubt === "stale" };
      });
      const named = points.flatMap(({ field }, i) => {
        const reading = readings[i];
        if (reading?.values.some((value) => value !== null)) return [];
        return [{ field, reason: reading?.reason }];
      });
      noteSilent(
        named.map(({ field }) => field).join(", "),
        named.flatMap(({ reason }) => reason ?? []),
      );
    });
  };
  const noteSilent = (fields: string, reasons: readonly string[]) => {
    if (fields === silent) return;
    silent = fields;
    if (fields) log.warn({ event: "points_silent", device: device.name, fields, reasons });
    else log.info({ event: "points_answer_again", device: device.name });
  };
  const giveUp = async (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (failures === 0) log.warn({ event: "device_failed", device: device.name, reason });
    else log.debug({ event: "device_failed_again", device: device.name, failures, reason });
    failures++;
    not_before_ms = clock.now() + Math.min(BACKOFF_MAX_MS, poll_ms * 2 ** failures);
    opened = false;
    await closeQuietly();
  };
  const closeQuietly = async () => {
    try {
      await device.close();
    } catch (error) {
      log.debug({ event: "device_close_failed", device: device.name, reason: String(error) });
    }
  };
  const poll = async () => {
    for (let tries = 0; ; tries++) {
      try {
        await attempt();
        if (failures > 0) log.info({ event: "device_answers_again", device: device.name, failures });
        failures = 0;
        return;
      } catch (error) {
        if (tries >= config.retries) return giveUp(error);
      }
    }
  };
  const due = (): Promise<void> => {
    if (running || clock.now() < not_before_ms) return running ?? Promise.resolve();
    running = poll().finally(() => {
      running = null;
    });
    return running;
  };

  return {
    name: device.name,
    /** Resolves when the first poll is over, well or not: a device that is down must not keep the agent from starting. */
    async start() {
      stop = clock.every(poll_ms, () => void due());
      await due();
    },
    async stop() {
      stop();
      await running;
      if (opened) await closeQuietly();
      opened = false;
    },
    latest(field: MeasuredField, now_ms: number): (Part & { stale: boolean })[] {
      return points.flatMap((point, i) => {
        if (point.field !== field) return [];
        const last = latest[i];
        if (!last || now_ms - last.at_ms > stale_after_ms) {
          return [{ value: null, at_ms: now_ms, suspect: false, stale: false }];
        }
        const { value, at_ms, suspect, estimated } = last;
        return [{ value, at_ms, suspect, stale: estimated || now_ms - at_ms > fresh_ms }];
      });
    },
  };
}
