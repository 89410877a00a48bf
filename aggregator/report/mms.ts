import type { ReportMms } from "../../shared/contracts/report.ts";
import type { StoredEvent } from "../store/store.ts";

interface Span {
  from_ms: number;
  to_ms: number;
}

interface Change {
  ts_ms: number;
  state: string;
  /** The state before; null where the event does not say. */
  from: string | null;
}

/** A rack as far as this section asks. */
interface RackState {
  rack_id: string;
  row: string;
  /** What MMS says of it now. */
  persistent: boolean;
}

/**
 * How often and how long MMS called racks persistent within [from_ms, to_ms).
 *
 * @param events of type `mms`, in any order; those from outside the period help to tell the state at its beginning
 */
export function mmsSection(
  events: readonly StoredEvent[],
  racks: readonly RackState[],
  span: Span,
): ReportMms {
  const changes = Map.groupBy(events, (event) => event.rack_id);
  const inside = events.filter(({ ts }) => Date.parse(ts) >= span.from_ms && Date.parse(ts) < span.to_ms);
  const by_state: Record<string, number> = {};
  for (const { data } of inside) by_state[String(data.state)] = (by_state[String(data.state)] ?? 0) + 1;
  const times = racks.map((rack) => ({
    ...rack,
    ...persistentTime((changes.get(rack.rack_id) ?? []).map(toChange), rack.persistent, span),
  }));
  const period_s = (span.to_ms - span.from_ms) / 1000;
  const rows = [...Map.groupBy(times, (rack) => rack.row)].map(([row, of_row]) => {
    const persistent_s = of_row.reduce((sum, rack) => sum + rack.persistent_s, 0);
    return { row, persistent_s, share: persistent_s / (period_s * of_row.length) };
  });
  return {
    changes: inside.length,
    by_state,
    racks: times
      .filter((rack) => rack.persistent_s > 0)
      .sort((a, b) => b.persistent_s - a.persistent_s)
      .map(({ rack_id, times: n, persistent_s }) => ({
        rack_id,
        times: n,
        persistent_s,
        share: persistent_s / period_s,
      })),
    rows,
  };
}

function toChange({ ts, data }: StoredEvent): Change {
  return {
    ts_ms: Date.parse(ts),
    state: String(data.state),
    from: typeof data.from === "string" ? data.from : null,
  };
}

function persistentTime(
  changes: Change[],
  now_persistent: boolean,
  { from_ms, to_ms }: Span,
): { persistent_s: number; times: number } {
  const ordered = changes.sort((a, b) => a.ts_ms - b.ts_ms);
  let since_ms = wasPersistent(ordered, now_persistent, from_ms) ? from_ms : null;
  let persistent_ms = 0;
  let times = since_ms === null ? 0 : 1;
  for (const { ts_ms, state } of ordered) {
    if (ts_ms < from_ms || ts_ms >= to_ms) continue;
    if (state === "persistent" && since_ms === null) {
      since_ms = ts_ms;
      times++;
    }
    if (state !== "persistent" && since_ms !== null) {
      persistent_ms += ts_ms - since_ms;
      since_ms = null;
    }
  }
  if (since_ms !== null) persistent_ms += to_ms - since_ms;
  return { persistent_s: persistent_ms / 1000, times };
}

/** Where a change does not say what was before it: these states follow upon persistent. */
const AFTER_PERSISTENT = new Set(["transient", "recovering"]);

/** By the last change before the instant, else by the first after it; without any, the rack is as it was. */
function wasPersistent(ordered: readonly Change[], now_persistent: boolean, at_ms: number): boolean {
  const before = ordered.findLast((change) => change.ts_ms < at_ms);
  if (before) return before.state === "persistent";
  const after = ordered.find((change) => change.ts_ms >= at_ms);
  if (!after) return now_persistent;
  return after.from === null ? AFTER_PERSISTENT.has(after.state) : after.from === "persistent";
}
