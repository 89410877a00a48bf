import { sampleWindow } from "../../agent/window.ts";
import type { Measured } from "../../shared/contracts/telemetry.ts";
import type { Plant } from "../plant/plant.ts";
import { rackReader } from "./rack.ts";

/** One rack's readings over a window, as an agent would publish them. */
export type WindowReading = Measured & { interval_s: number };

/** Steps the plant through one window second by second and reads the given racks through the agent's own averaging. */
export function readWindow(plant: Plant, rack_ids: readonly string[], seconds: number): WindowReading[] {
  const racks = rack_ids.map((rack_id) => {
    const read = rackReader(plant, rack_id);
    // Sets the energy counter; the reading itself belongs to the time before.
    read();
    return { read, window: sampleWindow(plant.now_ms) };
  });
  for (let s = 0; s < seconds; s++) {
    plant.step(1);
    for (const { read, window } of racks) window.add(read());
  }
  return racks.map(({ window }) => {
    const closed = window.close();
    if (!closed) throw new RangeError(`a window of ${seconds} s holds no reading`);
    return { ...closed.values, interval_s: closed.interval_s };
  });
}
