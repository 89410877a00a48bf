import { type RackSeries, SERIES_FIELDS } from "../../shared/contracts/rack-view.ts";
import { isoTime } from "../../shared/time.ts";
import { conditionOf } from "../mms/filter.ts";
import type { RackMinute, ScoredSample, Store } from "../store/store.ts";

type Field = (typeof SERIES_FIELDS)[number];
type Point = Omit<RackSeries, "rack_id" | "from" | "to" | "step_s" | "ts_ms" | "values"> & {
  ts_ms: number[];
  values: Record<Field, (number | null)[]>;
};

/** Up to here every sample is shown: an hour and more at the usual 5 s. */
const SINGLE_MAX_MS = 7_200_000;
const MINUTE_MS = 60_000;
const POINTS_MAX = 720;

/** One rack's course in (from_ms, to_ms]: its samples, or means where the time is long or they are gone. */
export function rackSeries(store: Store, rack_id: string, from_ms: number, to_ms: number): RackSeries {
  const single = to_ms - from_ms <= SINGLE_MAX_MS;
  const samples = single ? store.samples.ofRack(rack_id, from_ms, to_ms) : [];
  const head = { rack_id, from: isoTime(from_ms), to: isoTime(to_ms) };
  if (samples.length > 0) return { ...head, step_s: 0, ...fromSamples(samples) };
  const step_ms = MINUTE_MS * Math.max(1, Math.ceil((to_ms - from_ms) / MINUTE_MS / POINTS_MAX));
  const minutes = store.rollups.ofRack(rack_id, from_ms, to_ms);
  return { ...head, step_s: step_ms / 1000, ...fromMinutes(minutes, step_ms) };
}

function empty(): Point {
  const values = Object.fromEntries(SERIES_FIELDS.map((field) => [field, []])) as unknown as Point["values"];
  return { ts_ms: [], values, tau_fast: [], tau_persist: [], state: [] };
}

function fromSamples(samples: readonly ScoredSample[]): Point {
  const course = empty();
  for (const { sample, ts_ms, score, mms } of samples) {
    course.ts_ms.push(ts_ms);
    for (const field of SERIES_FIELDS)
      course.values[field].push(field === "d" ? (score?.d ?? null) : sample[field]);
    course.tau_fast.push(score?.tau_fast ?? null);
    course.tau_persist.push(score?.tau_persist ?? null);
    course.state.push(conditionOf(mms, score));
  }
  return course;
}

/** Rollups know neither thresholds nor states of their minute. */
function fromMinutes(minutes: readonly RackMinute[], step_ms: number): Point {
  const steps = Map.groupBy(minutes, ({ minute_ms }) => Math.floor(minute_ms / step_ms) * step_ms);
  const course = empty();
  for (const [ts_ms, members] of steps) {
    course.ts_ms.push(ts_ms);
    for (const field of SERIES_FIELDS)
      course.values[field].push(
        mean(members.map((minute) => (field === "d" ? minute.d_mean : minute.mean[field]))),
      );
    course.tau_fast.push(null);
    course.tau_persist.push(null);
    course.state.push("unknown");
  }
  return course;
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
