import { setTimeout as sleep } from "node:timers/promises";
import type { SensorDeviceConfig } from "../../shared/contracts/devices/index.ts";
import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import type { Log } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { withDeadline } from "../devices/deadline.ts";
import { sensorDevice } from "../sensors/index.ts";

export interface ProbeResult {
  /** Fields with at least one point that has a value now. */
  answering: MeasuredField[];
  silent: MeasuredField[];
}

/** Rates and quantiles exist from the second read on. */
const SECOND_READ_MS = 1_500;

/**
 * Opens a device, reads it once, again if a part of it was silent, and closes it.
 *
 * @throws when it cannot be opened or read at all
 */
export async function probe(config: SensorDeviceConfig, log: Log): Promise<ProbeResult> {
  const clock = systemClock();
  const { device, points, timeout_s } = sensorDevice(config, clock, log);
  const fields = [...new Set(points.map(({ field }) => field))];
  const read = async (): Promise<MeasuredField[]> => {
    const readings = await withDeadline(timeout_s * 1000, clock, (signal) => device.read(signal));
    const answers = (i: number) => readings[i]?.values.some((value) => value !== null) ?? false;
    return fields.filter((field) => points.some((point, i) => point.field === field && answers(i)));
  };
  try {
    await withDeadline(timeout_s * 1000, clock, () => device.open());
    let answering = await read();
    if (answering.length > 0 && answering.length < fields.length) {
      await sleep(SECOND_READ_MS);
      answering = await read();
    }
    return { answering, silent: fields.filter((field) => !answering.includes(field)) };
  } finally {
    await device.close();
  }
}
