import { seededRandom } from "../../shared/random.ts";
import type { RackConditions } from "../../sim/plant/conditions.ts";
import { faultSchedule, RACKS, type ScheduledFault } from "./fault-schedule.ts";
import type { ScheduledConditions } from "./fault-windows.ts";

/** The two regimes that no fault of the simulator brings about, and what brings them about here. */
const REGIMES: Record<ScheduledConditions["kind"], (severity: number) => Partial<RackConditions>> = {
  /** As in the scenario `overcooled_row_e`, on one rack: supply, fans and pump far colder than the load needs. */
  overcooled: (s) => ({
    supply_bias_c: -2.5 * s,
    tile_factor: 1 + 0.4 * s,
    fan_bias_pct: 28 * s,
    pump_bias_pct: 21 * s,
  }),
  /** Severity 1 takes four fifths of the rack's demand away. */
  under_utilized: (s) => ({ load_factor: 1 - 0.8 * s }),
};

const PER_KIND = 2;
const SEVERITY = [0.5, 1] as const;
const DURATION_S = [1_800, 3_600] as const;
/** By day: at night an idle rack is what every rack is. */
const FROM_S = 8 * 3_600;
const TO_S = 20 * 3_600;
/** Between two events on one rack. */
const APART_S = 5_400;

export type LabelledEvent = ScheduledFault | ScheduledConditions;

/** The day of the faults bench, with two overcooled and two idle racks besides, each on a rack that is free then. */
export function mmsSchedule(seed: number): LabelledEvent[] {
  const random = seededRandom(seed).fork("mms-schedule");
  const events: LabelledEvent[] = faultSchedule(seed);
  const single = events.filter(({ racks }) => racks.length === 1).map(({ racks }) => racks[0]!);
  for (const kind of Object.keys(REGIMES) as ScheduledConditions["kind"][]) {
    for (let n = 0; n < PER_KIND; ) {
      const rack = single[Math.floor(random.uniform() * single.length)]!;
      const duration_s = Math.round(random.range(...DURATION_S));
      const start_s = Math.round(random.range(FROM_S, TO_S - duration_s));
      const end_s = start_s + duration_s;
      const free = events.every(
        (e) => !e.racks.includes(rack) || e.start_s > end_s + APART_S || e.end_s < start_s - APART_S,
      );
      if (!free) continue;
      const severity = random.range(...SEVERITY);
      const conditions = REGIMES[kind](severity);
      events.push({ kind, conditions, racks: [rack], rack_ids: [RACKS[rack]!], severity, start_s, end_s });
      n++;
    }
  }
  return events;
}
