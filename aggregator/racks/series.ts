import { type RackSeries, SERIES_FIELDS } from "../../shared/contracts/rack-view.ts";
import { isoTime } from "../../shared/time.ts";
import { conditionOf } from "../mms/filter.ts";
import { readInParts, refuseCrowd } from "../store/in-parts.ts";
import type { RackStep, ScoredSample, Store } from "../store/store.ts";

type Field = (typeof SERIES_FIELDS)[number];
type Point = Omit<RackSeries, "rack_id" | "from" | "to" | "step_s" | "ts_ms" | "values"> & {
  ts_ms: number[];
  values: Record<Field, (number | null)[]>;
};

/** Up to here every sample is shown: an hour and more at the usual 5 s. */
const SINGLE_MAX_MS = 7_200_000;
const MINUTE_MS = 60_000;
const POINTS_MAX = 720;
/** One rack's minute is looked up alone, which takes as long as reading some of a row of racks. */
const LOOKUP = 5;

/** One rack's course in (from_ms, to_ms]: its samples, or means where the time is long or they are gone. */
export async function rackSeries(
  store: Pick<Store, "samples" | "rollups">,
  rack_id: string,
  from_ms: number,
  to_ms: number,
): Promise<RackSeries> {
  const single = to_ms - from_ms <= SINGLE_MAX_MS;
  const samples = single ? store.samples.ofRack(rack_id, from_ms, to_ms) : [];
  const head = { rack_id, from: isoTime(from_ms), to: isoTime(to_ms) };
  if (samples.length > 0) return { ...head, step_s: 0, ...fromSamples(samples) };
  const step_ms = MINUTE_MS * Math.max(1, Math.ceil((to_ms - from_ms) / MINUTE_MS / POINTS_MAX));
  // Nothing is looked for in a past of which nothing is kept.
  const kept = { from_ms: Math.max(from_ms, store.rollups.oldestMs() ?? to_ms), to_ms, step_ms };
  refuseCrowd(kept, LOOKUP);
  const steps = await readInParts(kept, LOOKUP, (from, last) =>
    store.rollups.ofRack(rack_id, from, last + 1, step_ms),
  );
  return { ...head, step_s: step_ms / 1000, ...fromSteps(steps) };
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
function fromSteps(steps: readonly RackStep[]): Point {
  const course = empty();
  for (const { ts_ms, mean, d_mean } of steps) {
    course.ts_ms.push(ts_ms);
    for (const field of SERIES_FIELDS) course.values[field].push(field === "d" ? d_mean : mean[field]);
    course.tau_fast.push(null);
    course.tau_persist.push(null);
    course.state.push("unknown");
  }
  return course;
}
