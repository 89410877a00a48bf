import type { RackCell, ReportState } from "../../shared/contracts/report.ts";
import { topContributions } from "../../shared/ims/score.ts";
import { isoTime } from "../../shared/time.ts";
import type { Fleet } from "../fleet.ts";
import { rackCondition } from "../fleet.ts";
import { conditionOf } from "../mms/filter.ts";
import type { Store } from "../store/store.ts";
import type { Period } from "./period.ts";

const WORST = 10;
const TOP_CONTRIBUTIONS = 3;
/** A rack's last sample counts for an instant up to this long after it. */
const WITHIN_MS = 600_000;

/** The site at the end of the period. */
export function stateSection(fleet: Fleet, store: Store, { to_ms, live }: Period): ReportState {
  const cells = live ? presentCells(fleet) : pastCells(fleet, store, to_ms);
  const by_condition: Record<string, number> = { nominal: 0, transient: 0, persistent: 0, unknown: 0 };
  for (const { state } of cells) by_condition[state] = (by_condition[state] ?? 0) + 1;
  const worst = cells
    .filter((cell) => cell.d !== null)
    .sort((a, b) => b.d! - a.d!)
    .slice(0, WORST);
  return { ts: isoTime(to_ms), by_condition, worst, cells };
}

function presentCells(fleet: Fleet): RackCell[] {
  return fleet.racks.map((rack) => ({
    rack_id: rack.rack_id,
    row: rack.row,
    position: rack.position,
    state: rackCondition(rack),
    d: rack.score?.d ?? null,
    tau_fast: rack.score?.tau_fast ?? null,
    inlet_c: rack.sample?.inlet_c ?? null,
    contributions: rack.score ? topContributions(rack.score.contributions, TOP_CONTRIBUTIONS) : [],
  }));
}

/** From raw samples, or from the 1-minute rollups where those are gone. */
function pastCells(fleet: Fleet, store: Store, to_ms: number): RackCell[] {
  const samples = new Map(store.samples.at(to_ms, WITHIN_MS).map((entry) => [entry.sample.rack_id, entry]));
  const minutes = new Map(
    samples.size > 0 ? [] : store.rollups.minute(to_ms - 1).map((minute) => [minute.rack_id, minute]),
  );
  return fleet.racks.map(({ rack_id, row, position }) => {
    const entry = samples.get(rack_id);
    const minute = minutes.get(rack_id);
    const score = entry?.score ?? null;
    return {
      ...{ rack_id, row, position },
      state: entry ? conditionOf(entry.mms, score) : "unknown",
      d: score?.d ?? minute?.d_mean ?? null,
      tau_fast: score?.tau_fast ?? null,
      inlet_c: entry ? entry.sample.inlet_c : (minute?.mean.inlet_c ?? null),
      contributions: score ? topContributions(score.contributions, TOP_CONTRIBUTIONS) : [],
    };
  });
}
