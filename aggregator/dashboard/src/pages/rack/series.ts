import { useEffect, useMemo, useState } from "preact/hooks";
import type { RackSummary } from "../../../../../shared/contracts/overview.ts";
import type { RackSeries } from "../../../../../shared/contracts/rack-view.ts";
import { now_ms, rackSignal, resynced } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";

const MINUTE_MS = 60_000;

interface Shown {
  span_ms: number;
  course: RackSeries;
}

/**
 * A rack's course over the last `span_ms`. Of single samples it is asked for once, then grown by what arrives. Means, which
 * the server answers where the time is long or where it has no samples, do not grow: they are asked for every minute.
 */
export function useSeries(
  rack_id: string,
  span_ms: number,
): { series: RackSeries | null; error: Error | null } {
  const [turn, setTurn] = useState(0);
  const missed = resynced.value;
  // Asked from a fixed instant on, so that the question does not change with every second; from a later one each time
  // that it is asked again, or the time would grow beyond what there are single samples for.
  const from_ms = useMemo(() => now_ms.peek() - span_ms, [rack_id, span_ms, missed, turn]);
  const { data, error } = useQuery<RackSeries>(`/racks/${rack_id}/series?from=${Math.round(from_ms)}`);
  // Kept while the next answer is on its way.
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    if (data) setShown({ span_ms, course: data });
  }, [data]);
  const course = shown?.span_ms === span_ms && shown.course.rack_id === rack_id ? shown.course : null;

  const grows = course?.step_s === 0 && error === null;
  useEffect(() => {
    if (grows) return;
    const timer = setInterval(() => setTurn((n) => n + 1), MINUTE_MS);
    return () => clearInterval(timer);
  }, [grows]);
  const rack = rackSignal(rack_id)?.value;
  useEffect(() => {
    if (rack) setShown((now) => now && grown(now, rack));
  }, [rack]);
  return { series: course, error };
}

function grown(shown: Shown, rack: RackSummary): Shown {
  const { course, span_ms } = shown;
  if (rack.ts === null || course.step_s !== 0) return shown;
  const ts_ms = Date.parse(rack.ts);
  const last_ms = course.ts_ms.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (ts_ms < last_ms) return shown;
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
    span_ms,
    course: {
      ...course,
      ts_ms: add(course.ts_ms, ts_ms),
      values,
      tau_fast: add(course.tau_fast, rack.tau_fast),
      tau_persist: add(course.tau_persist, rack.tau_persist),
      state: add(course.state, rack.state),
    },
  };
}
