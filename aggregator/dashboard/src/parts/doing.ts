import type { Action } from "../../../../shared/contracts/action.ts";
import { count } from "../format/numbers.ts";
import { TARGETS } from "../format/words.ts";

/** What Skadi does about something, gathered over the racks concerned. */
export interface Doing {
  target: Action["target"];
  outcome: Action["outcome"];
  source: Action["source"];
  direction: "up" | "down" | "back to automatic";
  racks: number;
  /** The newest of them. */
  latest: Action;
}

const ORDER: readonly Action["outcome"][] = ["applied", "sent", "advised", "refused"];

/**
 * The newest action per rack and target since `from_ms`, in groups: how many racks are driven where, and who decided.
 *
 * @param actions newest first
 */
export function doingAbout(
  actions: readonly Action[],
  rack_ids: ReadonlySet<string>,
  from_ms: number,
): Doing[] {
  const devices = new Set<string>();
  const groups = new Map<string, Doing>();
  for (const action of actions) {
    if (action.rack_id === null || !rack_ids.has(action.rack_id) || Date.parse(action.ts) < from_ms) continue;
    const device = `${action.rack_id}/${action.target}`;
    if (devices.has(device)) continue;
    devices.add(device);
    const { target, outcome, source } = action;
    const direction = directionOf(action);
    const key = [target, outcome, source, direction].join();
    const group = groups.get(key);
    if (group) group.racks++;
    else groups.set(key, { target, outcome, source, direction, racks: 1, latest: action });
  }
  return [...groups.values()].sort(
    (a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome) || b.racks - a.racks,
  );
}

function directionOf({ from, to, target, inputs }: Action): Doing["direction"] {
  if (to === null) return "back to automatic";
  const before = from ?? (typeof inputs[target] === "number" ? (inputs[target] as number) : null);
  if (before !== null) return to >= before ? "up" : "down";
  return target === "fan_rpm_pct" || target === "pump_rpm_pct" ? "up" : "down";
}

/** `Fan up on 12 racks` */
export function doingText({ target, direction, racks }: Doing): string {
  return `${TARGETS[target]} ${direction} on ${count(racks, "rack")}`;
}
