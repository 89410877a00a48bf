import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import type { Plant } from "./plant.ts";
import { SENSOR_FIELDS, type SensorField, type SensorReadings } from "./sensors.ts";

/** One rack's readings over a window: means, and the energy used since the window before. */
export type WindowReading = Record<MeasuredField, number | null> & { interval_s: number };

const MEAN_FIELDS = SENSOR_FIELDS.filter((field) => field !== "gpu_energy_j_total");

/**
 * Steps the plant through one window second by second and reads the given racks as an agent does: one reading a
 * second, their mean per window, the difference of the energy counter.
 */
export function readWindow(plant: Plant, rack_ids: readonly string[], seconds: number): WindowReading[] {
  const start = rack_ids.map((id) => plant.read(id).gpu_energy_j_total);
  const readings: SensorReadings[][] = rack_ids.map(() => []);
  for (let s = 0; s < seconds; s++) {
    plant.step(1);
    rack_ids.forEach((id, k) => {
      readings[k]!.push(plant.read(id));
    });
  }
  return readings.map((samples, k) => summarise(samples, start[k]!, seconds));
}

function summarise(
  samples: readonly SensorReadings[],
  start_j: number | null,
  interval_s: number,
): WindowReading {
  const window = { interval_s, gpu_energy_j: energy(samples, start_j) } as WindowReading;
  for (const field of MEAN_FIELDS) window[field] = mean(samples, field);
  return window;
}

function energy(samples: readonly SensorReadings[], start_j: number | null): number | null {
  const end_j = samples.at(-1)?.gpu_energy_j_total ?? null;
  return start_j === null || end_j === null ? null : end_j - start_j;
}

/** Over the seconds that had an answer; null when none had. */
function mean(samples: readonly SensorReadings[], field: SensorField): number | null {
  const values = samples.map((sample) => sample[field]).filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}
