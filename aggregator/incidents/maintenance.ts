import { randomUUID } from "node:crypto";
import type { MaintenanceWindow } from "../../shared/contracts/incident.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Store } from "../store/store.ts";

type MaintenancePlan = Omit<MaintenanceWindow, "id">;

export interface Maintenance {
  all(): MaintenanceWindow[];
  /** Throws SKADI_INVALID_FIELD for a place that is not of this site or an end before the start. */
  plan(window: MaintenancePlan): MaintenanceWindow;
  /** Throws SKADI_NOT_FOUND. */
  cancel(id: string): void;
  covers(place: { rack_id: string; row: string }, now_ms: number): boolean;
  /** The windows that do. */
  covering(place: { rack_id: string; row: string }, now_ms: number): MaintenanceWindow[];
}

/** Whether a window covers a place at an instant: its rack, its row, or (with neither) the whole site. */
function isCovered(
  { rack_id, row, from, to }: MaintenanceWindow,
  place: { rack_id: string; row: string },
  now_ms: number,
): boolean {
  if (now_ms < Date.parse(from) || now_ms >= Date.parse(to)) return false;
  if (rack_id !== null) return rack_id === place.rack_id;
  return row === null || row === place.row;
}

/** The site's planned works; kept in the store. */
export function maintenanceCalendar(
  store: Store,
  racks: readonly { rack_id: string; row: string }[],
): Maintenance {
  let windows = store.maintenance.all();
  return {
    all: () => windows,
    plan(plan) {
      checkPlan(plan, racks);
      const window = { id: randomUUID(), ...plan };
      store.maintenance.put(window);
      windows = [...windows, window].sort((a, b) => Date.parse(a.to) - Date.parse(b.to));
      return window;
    },
    cancel(id) {
      if (!windows.some((window) => window.id === id))
        throw skadiError("SKADI_NOT_FOUND", { field: "id", value: id });
      store.maintenance.remove(id);
      windows = windows.filter((window) => window.id !== id);
    },
    covers: (place, now_ms) => windows.some((window) => isCovered(window, place, now_ms)),
    covering: (place, now_ms) => windows.filter((window) => isCovered(window, place, now_ms)),
  };
}

function checkPlan(
  { rack_id, row, from, to }: MaintenancePlan,
  racks: readonly { rack_id: string; row: string }[],
): void {
  if (rack_id !== null && !racks.some((rack) => rack.rack_id === rack_id)) {
    throw skadiError("SKADI_UNKNOWN_RACK", {
      field: "rack_id",
      value: rack_id,
      expected: "a rack of this site",
    });
  }
  if (row !== null && !racks.some((rack) => rack.row === row)) {
    throw skadiError("SKADI_INVALID_FIELD", { field: "row", value: row, expected: "a row of this site" });
  }
  if (Date.parse(to) <= Date.parse(from)) {
    throw skadiError("SKADI_INVALID_FIELD", { field: "to", value: to, expected: "an instant after `from`" });
  }
}
