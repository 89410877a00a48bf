import type { Action } from "../../../../shared/contracts/action.ts";
import { TARGETS } from "../format/words.ts";

type Direction = "up" | "down" | "back to automatic";

/** What Skadi does about something, as far as it has come, over all the racks concerned. */
export interface Doing {
  outcome: Action["outcome"];
  racks: number;
  /** What goes where: `up` → fan, pump. */
  moves: Map<Direction, Set<string>>;
}

const ORDER: readonly Action["outcome"][] = ["applied", "sent", "advised", "refused"];
const DIRECTIONS: readonly Direction[] = ["up", "down", "back to automatic"];

/**
 * The newest action per rack and target since `from_ms`, by what became of it. Savings are left out: they are no answer
 * to anything that is wrong.
 *
 * @param actions newest first
 */
export function doingAbout(
  actions: readonly Action[],
  rack_ids: ReadonlySet<string>,
  from_ms: number,
): Doing[] {
  const devices = new Set<string>();
  const newest = actions.filter(({ rack_id, target, kind, ts }) => {
    if (rack_id === null || !rack_ids.has(rack_id) || kind === "optimize" || Date.parse(ts) < from_ms)
      return false;
    const device = `${rack_id}/${target}`;
    return !devices.has(device) && devices.add(device);
  });
  const by_outcome = Map.groupBy(newest, ({ outcome }) => outcome);
  return ORDER.filter((outcome) => by_outcome.has(outcome)).map((outcome) => {
    const members = by_outcome.get(outcome)!;
    const moves: Doing["moves"] = new Map();
    for (const action of members) {
      const direction = directionOf(action);
      moves.set(direction, (moves.get(direction) ?? new Set()).add(TARGETS[action.target].toLowerCase()));
    }
    return { outcome, racks: new Set(members.map(({ rack_id }) => rack_id)).size, moves };
  });
}

/** From its own control a device is driven towards cooling or towards less work. */
function directionOf({ from, to, target }: Action): Direction {
  if (to === null) return "back to automatic";
  if (from !== null) return to >= from ? "up" : "down";
  return target === "fan_rpm_pct" || target === "pump_rpm_pct" ? "up" : "down";
}

/** `Up: fan, pump`, one line per direction. */
export function movesText({ moves }: Doing): string[] {
  return DIRECTIONS.filter((direction) => moves.has(direction)).map((direction) => {
    const name = `${direction[0]!.toUpperCase()}${direction.slice(1)}`;
    return `${name}: ${[...moves.get(direction)!].join(", ")}`;
  });
}
