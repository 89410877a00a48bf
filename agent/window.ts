import { FIELD_RANGE, MEASURED_FIELDS, type MeasuredField } from "../shared/contracts/telemetry.ts";
import type { SensorRead } from "./sensors/driver.ts";

/** A window that spans a longer silence than this would be the mean of two different times. */
const SPAN_MAX_MS = 300_000;

/** The readings of one scoring interval, made one: energies summed, everything else averaged. */
export interface WindowSample {
  at_ms: number;
  interval_s: number;
  /** null where no believable reading came in. */
  values: Record<MeasuredField, number | null>;
  /**
   * The hottest believable inlet: one reading over the limit must reach the guardrail at its next tick, and neither
   * the mean nor the newest reading, which may have swung back, would tell.
   */
  hottest_inlet_c: number | null;
  /** The worst that any reading of a field was; fields that were good throughout are left out. */
  quality: NonNullable<SensorRead["quality"]>;
}

export interface SampleWindow {
  add(read: SensorRead): void;
  /**
   * Closes the window and starts the next; null if nothing was read, or no time has passed since. The first read of
   * all, or after a silence, stands for one sampling interval, without energy: a rack is not to wait for a second one.
   */
  close(): WindowSample | null;
}

/**
 * Collects reads between two scores. The interval runs from the last read of the previous window to the last of
 * this one, because that is the time over which the summed energy was used; timers may be late, energies are not.
 *
 * @param start_ms since when the first read's energy counts; null: unknown, so it is left out
 * @param sample_s what a read stands for that has none before it
 */
export function sampleWindow(start_ms: number | null, sample_s = 1): SampleWindow {
  let previous_ms = start_ms;
  /** No read came before those of this window. */
  let opening = false;
  let last_ms: number | null = null;
  const sums = new Float64Array(MEASURED_FIELDS.length);
  const counts = new Uint32Array(MEASURED_FIELDS.length);
  let quality: WindowSample["quality"] = {};
  let hottest_inlet_c: number | null = null;
  return {
    add(read) {
      // The energy of the very first read, or the first after a silence, covers an unknown time.
      if (previous_ms !== null && read.at_ms - previous_ms > SPAN_MAX_MS) {
        previous_ms = null;
        sums.fill(0);
        counts.fill(0);
        quality = {};
        hottest_inlet_c = null;
      }
      const first = previous_ms === null;
      if (first) {
        previous_ms = read.at_ms;
        opening = true;
      }
      last_ms = read.at_ms;
      for (let f = 0; f < MEASURED_FIELDS.length; f++) {
        const field = MEASURED_FIELDS[f]!;
        if (first && field === "gpu_energy_j") continue;
        const value = read.values[field];
        if (value === null || !believable(field, value)) continue;
        sums[f]! += value;
        counts[f]!++;
        if (field === "inlet_c") hottest_inlet_c = Math.max(value, hottest_inlet_c ?? value);
        const doubt = read.quality?.[field];
        if (doubt && quality[field] !== "suspect") quality[field] = doubt;
      }
    },
    close() {
      if (previous_ms === null || last_ms === null) return null;
      const lone = opening && last_ms === previous_ms;
      if (last_ms <= previous_ms && !lone) return null;
      opening = false;
      const values = {} as WindowSample["values"];
      for (const [f, field] of MEASURED_FIELDS.entries())
        values[field] = combine(field, sums[f]!, counts[f]!);
      const sample: WindowSample = {
        at_ms: last_ms,
        interval_s: lone ? sample_s : (last_ms - previous_ms) / 1000,
        values,
        hottest_inlet_c,
        quality,
      };
      quality = {};
      hottest_inlet_c = null;
      previous_ms = last_ms;
      last_ms = null;
      sums.fill(0);
      counts.fill(0);
      return sample;
    },
  };
}

function believable(field: MeasuredField, value: number): boolean {
  const range = FIELD_RANGE[field];
  return Number.isFinite(value) && value >= range[0] && value <= range[1];
}

function combine(field: MeasuredField, sum: number, count: number): number | null {
  if (count === 0) return null;
  return field === "gpu_energy_j" ? sum : sum / count;
}
