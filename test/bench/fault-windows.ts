import { sampleWindow } from "../../agent/window.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import type { RackConditions } from "../../sim/plant/conditions.ts";
import { createPlant } from "../../sim/plant/plant.ts";
import { rackReader } from "../../sim/site/rack.ts";
import { DAY_S, RACKS, type ScheduledFault } from "./fault-schedule.ts";

export const WINDOW_S = 5;
const MIDNIGHT_MS = Date.UTC(2026, 0, 15);

/** Something other than a fault that happens to racks. */
export interface ScheduledConditions {
  kind: "overcooled" | "under_utilized";
  conditions: Partial<RackConditions>;
  racks: number[];
  rack_ids: string[];
  severity: number;
  start_s: number;
  end_s: number;
}

type Scheduled = ScheduledFault | ScheduledConditions;

/**
 * Runs one day of the plant with the scheduled faults and hands over each rack's 5 s windows as its agent would form
 * them: one read per second through the agent's own averaging. `handle` must copy what it keeps of `x`.
 */
export function runDay(
  seed: number,
  schedule: readonly Scheduled[],
  handle: (rack: number, end_s: number, x: Float64Array) => void,
): void {
  const plant = createPlant({ rack_ids: RACKS, seed, start_ms: MIDNIGHT_MS });
  const racks = RACKS.map((rack_id) => {
    const read = rackReader(plant, rack_id);
    // Sets the energy counter; the reading itself belongs to the time before.
    read();
    return { read, window: sampleWindow(plant.now_ms) };
  });
  const handles = new Map<Scheduled, string>();
  const x = new Float64Array(FEATURES.length);
  for (let second = 0; second < DAY_S; second++) {
    for (const entry of schedule) {
      if (entry.start_s === second) {
        const begun =
          "fault" in entry ? plant.inject(entry.fault) : plant.impose(entry.rack_ids, entry.conditions);
        handles.set(entry, begun);
      }
      if (entry.end_s === second) plant.clear(handles.get(entry) ?? "");
    }
    plant.step(1);
    for (const { read, window } of racks) window.add(read());
    if ((second + 1) % WINDOW_S !== 0) continue;
    for (let i = 0; i < racks.length; i++) {
      const closed = racks[i]!.window.close();
      if (!closed) throw new RangeError("a window without a reading");
      handle(i, second + 1, toFeatures({ ...closed.values, interval_s: closed.interval_s }, x));
    }
  }
}
