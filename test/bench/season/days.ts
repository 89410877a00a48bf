import type { Limits } from "../../../shared/contracts/config-parts.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { rowBuffer } from "../../../shared/ims/rows.ts";
import { toFeatures } from "../../../shared/ims/to-features.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import type { Plant } from "../../../sim/plant/plant.ts";
import { readWindow } from "../../../sim/site/window.ts";
import { createDayDetector, type DayResult } from "../fault-detection.ts";
import { DAY_S, RACKS, type ScheduledFault } from "../fault-schedule.ts";
import { WINDOW_S } from "../fault-windows.ts";

export const RECIPE = { clusters: 8, seed: 42 };
const TRAINING_TICK_S = 60;

/** One window of one rack; `x` is used again for the next. */
export type Handle = (rack: number, end_s: number, x: Float64Array) => void;

function eachWindow(plant: Plant, handle: Handle, beforeWindow: (second: number) => void = () => {}): void {
  const x = new Float64Array(FEATURES.length);
  for (let second = 0; second < DAY_S; second += WINDOW_S) {
    beforeWindow(second);
    for (const [i, window] of readWindow(plant, RACKS, WINDOW_S).entries())
      handle(i, second + WINDOW_S, toFeatures(window, x));
  }
}

/** The site's first model. */
export function learnDay(plant: Plant, limits: Limits): ModelFile {
  const created_ms = plant.now_ms;
  const rows = rowBuffer();
  eachWindow(plant, (_, end_s, x) => {
    if (end_s % TRAINING_TICK_S === 0) rows.push(x);
  });
  return trainModel(rows.matrix(), { ...RECIPE, limits, data: "plant, a mild day", created_ms });
}

/** False alarms per rack of a day without faults, of each model. */
export function healthyDay(plant: Plant, models: readonly ModelFile[], record: Handle = () => {}): number[] {
  const detectors = models.map((model) => createDayDetector(model, null));
  eachWindow(plant, (i, end_s, x) => {
    record(i, end_s, x);
    for (const detector of detectors) detector.feed(i, end_s * 1000, x.slice());
  });
  return detectors.map((detector) => detector.result(0, []).false_alarms.mms / RACKS.length);
}

/** What each model finds of a day's faults. */
export function faultyDay(
  plant: Plant,
  schedule: readonly ScheduledFault[],
  models: readonly ModelFile[],
  seed: number,
): DayResult[] {
  const detectors = models.map((model) => createDayDetector(model, null));
  const handles = new Map<ScheduledFault, string>();
  eachWindow(
    plant,
    (i, end_s, x) => {
      for (const detector of detectors) detector.feed(i, end_s * 1000, x.slice());
    },
    (second) => {
      for (const entry of schedule) {
        const in_window = (at_s: number) => at_s >= second && at_s < second + WINDOW_S;
        if (in_window(entry.start_s)) handles.set(entry, plant.inject(entry.fault));
        if (in_window(entry.end_s)) plant.clear(handles.get(entry) ?? "");
      }
    },
  );
  for (const handle of handles.values()) plant.clear(handle);
  return detectors.map((detector) => detector.result(seed, schedule));
}
