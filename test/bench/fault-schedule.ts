import { racksOf } from "../../shared/contracts/rack.ts";
import { type Random, seededRandom } from "../../shared/random.ts";
import { FAULT_KINDS, type Fault, type FaultKind, type SensorFault } from "../../sim/plant/faults.ts";
import { SENSOR_FIELDS } from "../../sim/plant/sensors.ts";

const ROWS = ["A", "B", "C", "D", "E", "F"] as const;
const RACKS_PER_ROW = 12;
export const RACKS = racksOf(ROWS, RACKS_PER_ROW);
export const DAY_S = 86_400;

const FAULTS_PER_KIND = 2;
/** What `skadi-sim generate --faults` draws from, too. */
const SEVERITY = [0.5, 1] as const;
const DURATION_S = [1_800, 3_600] as const;
/** The first hour lets filters settle; the last fault ends early enough to be seen to end. */
const FIRST_START_S = 3_600;
const LAST_END_S = DAY_S - 1_800;
/** Faulty racks of a row stand this far apart, so that one's hot air does not reach the next. */
const SPACING = 3;

export interface ScheduledFault {
  fault: Fault;
  /** Racks that it acts on, as indices into RACKS. */
  racks: number[];
  start_s: number;
  end_s: number;
}

/**
 * Two faults of every kind in one day: the two air-handler failures take a row of their own each, the sixteen others
 * have racks of the four remaining rows. Start, duration, severity and sensor are drawn uniformly.
 */
export function faultSchedule(seed: number): ScheduledFault[] {
  const random = seededRandom(seed).fork("fault-schedule");
  const rows = shuffled(ROWS, random);
  const own_rows = rows.slice(0, FAULTS_PER_KIND);
  const offset = Math.floor(random.uniform() * SPACING);
  const places = shuffled(
    rows
      .slice(FAULTS_PER_KIND)
      .flatMap((row) =>
        Array.from({ length: RACKS_PER_ROW / SPACING }, (_, i) => rackName(row, offset + i * SPACING)),
      ),
    random,
  );
  const scheduled: ScheduledFault[] = [];
  for (const kind of FAULT_KINDS) {
    for (let n = 0; n < FAULTS_PER_KIND; n++) {
      const rack_id = kind === "crah_failure" ? rackName(own_rows[n]!, 0) : places.pop()!;
      const field = SENSOR_FIELDS[Math.floor(random.uniform() * SENSOR_FIELDS.length)]!;
      const common = { rack_id, severity: random.range(...SEVERITY) };
      const duration_s = Math.round(random.range(...DURATION_S));
      const start_s = Math.round(random.range(FIRST_START_S, LAST_END_S - duration_s));
      const fault = isSensorKind(kind) ? { kind, field, ...common } : ({ kind, ...common } as Fault);
      scheduled.push({ fault, racks: affected(fault), start_s, end_s: start_s + duration_s });
    }
  }
  return scheduled;
}

function isSensorKind(kind: FaultKind): kind is SensorFault["kind"] {
  return kind.startsWith("sensor_");
}

function affected(fault: Fault): number[] {
  const first = RACKS.indexOf(fault.rack_id);
  if (fault.kind !== "crah_failure") return [first];
  return Array.from({ length: RACKS_PER_ROW }, (_, i) => first + i);
}

function rackName(row: string, index: number): string {
  return `R-${row}-${String(index + 1).padStart(2, "0")}`;
}

/** Fisher and Yates's shuffle, of a copy. */
function shuffled<T>(list: readonly T[], random: Random): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
