import { useEffect, useState } from "preact/hooks";
import type { RackSummary } from "../../../../../shared/contracts/overview.ts";
import type { RackSeries } from "../../../../../shared/contracts/rack-view.ts";
import { now_ms, rackSignal } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";

const MINUTE_MS = 60_000;
/** Longer courses are means, which do not grow by a sample. */
const LIVE_MAX_MS = 7_200_000;

/** A rack's course over the last `span_ms`: asked for once, then grown by what arrives. */
export function useSeries(
  rack_id: string,
  span_ms: number,
): { series: RackSeries | null; error: Error | null } {
  // Asked from a fixed instant on, so that the question does not change with every second.
  const [from_ms, setFrom] = useState(0);
  useEffect(() => setFrom(now_ms.peek() - span_ms), [rack_id, span_ms]);
  const path = from_ms === 0 ? null : `/racks/${rack_id}/series?from=${Math.round(from_ms)}`;
  const live = span_ms <= LIVE_MAX_MS;
  const { data, error } = useQuery<RackSeries>(path, live ? {} : { every_ms: MINUTE_MS });
  const [series, setSeries] = useState<RackSeries | null>(null);
  useEffect(() => setSeries(data), [data]);
  const rack = rackSignal(rack_id)?.value;
  useEffect(() => {
    if (rack && live) setSeries((course) => (course ? grown(course, rack, span_ms) : course));
  }, [rack, live, span_ms]);
  return { series: series?.rack_id === rack_id ? series : null, error };
}

function grown(course: RackSeries, rack: RackSummary, span_ms: number): RackSeries {
  if (rack.ts === null || course.step_s !== 0) return course;
  const ts_ms = Date.parse(rack.ts);
  const last_ms = course.ts_ms.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (ts_ms < last_ms) return course;
  // The score of a sample may come a moment after it: the same instant again replaces its point.
  const end = ts_ms === last_ms ? -1 : undefined;
  const first = Math.max(
    0,
    course.ts_ms.findIndex((at) => at >= ts_ms - span_ms),
  );
  const add = <T>(column: readonly T[], value: T): T[] => [...column.slice(first, end), value];
  const values = Object.fromEntries(
    Object.entries(course.values).map(([field, column]) => [
      field,
      add(column, rack[field as keyof RackSeries["values"]]),
    ]),
  ) as RackSeries["values"];
  return {
    ...course,
    ts_ms: add(course.ts_ms, ts_ms),
    values,
    tau_fast: add(course.tau_fast, rack.tau_fast),
    tau_persist: add(course.tau_persist, rack.tau_persist),
    state: add(course.state, rack.state),
  };
}
