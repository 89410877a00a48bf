import { FEATURES } from "../../shared/ims/features.ts";
import { levelOf, type Scorer } from "../../shared/ims/score.ts";
import { thresholdsAt } from "../../shared/ims/thresholds.ts";
import type { Span } from "../drift/exclusions.ts";
import type { RackSeries } from "../drift/stored-series.ts";
import { type MmsFilter, type MmsSettings, nextFilter } from "../mms/filter.ts";

const F = FEATURES.length;
/** Alarms this close together are one. */
const FLICKER_MS = 300_000;
const DAY_MS = 86_400_000;

export interface ReplaySettings {
  mms: MmsSettings;
  /** Rows further apart than this are not one run: smoothing and counting begin anew. */
  gap_ms: number;
}

/** What a model would have said of some operation; sums, so that racks add up. */
export interface Replay {
  observed_ms: number;
  /** Times that MMS would have called a rack persistent. */
  episodes: number;
  rows: number;
  fast_rows: number;
  persist_rows: number;
}

export const NOTHING_REPLAYED: Replay = {
  observed_ms: 0,
  episodes: 0,
  rows: 0,
  fast_rows: 0,
  persist_rows: 0,
};

export function addReplays(a: Replay, b: Replay): Replay {
  return {
    observed_ms: a.observed_ms + b.observed_ms,
    episodes: a.episodes + b.episodes,
    rows: a.rows + b.rows,
    fast_rows: a.fast_rows + b.fast_rows,
    persist_rows: a.persist_rows + b.persist_rows,
  };
}

export const rackDays = ({ observed_ms }: Replay): number => observed_ms / DAY_MS;

/** Scores one rack's usable rows as agent and MMS would have, at the site's settings. */
export function replayRack(
  series: RackSeries,
  usable: Uint8Array,
  scorer: Scorer,
  { mms, gap_ms }: ReplaySettings,
): Replay {
  const replay = { ...NOTHING_REPLAYED };
  const { ts_ms, x } = series;
  let filter: MmsFilter | null = null;
  let last_ms = Number.NEGATIVE_INFINITY;
  let alarm_ended_ms = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ts_ms.length; i++) {
    if (!usable[i]) continue;
    const { d, cluster } = scorer.score(x.subarray(i * F, i * F + F));
    if (Number.isNaN(d)) continue;
    const at_ms = ts_ms[i]!;
    const taus = thresholdsAt(scorer.model, cluster);
    if (at_ms - last_ms > gap_ms) filter = null;
    else replay.observed_ms += at_ms - last_ms;
    last_ms = at_ms;
    const before = filter?.state;
    filter = nextFilter(filter, { d, ...taus }, mms);
    if (filter.state === "persistent") {
      if (before !== "persistent" && at_ms - alarm_ended_ms > FLICKER_MS) replay.episodes++;
      alarm_ended_ms = at_ms;
    }
    const level = levelOf(d, taus);
    replay.rows++;
    if (level !== "nominal") replay.fast_rows++;
    if (level === "persist") replay.persist_rows++;
  }
  return replay;
}

/** Whether MMS would have called the rack persistent during a span. */
export function findsAnomaly(series: RackSeries, span: Span, scorer: Scorer, mms: MmsSettings): boolean {
  const { ts_ms, x } = series;
  let filter: MmsFilter | null = null;
  for (let i = 0; i < ts_ms.length; i++) {
    if (ts_ms[i]! < span.from_ms || ts_ms[i]! > span.to_ms) continue;
    const { d, cluster } = scorer.score(x.subarray(i * F, i * F + F));
    if (Number.isNaN(d)) continue;
    filter = nextFilter(filter, { d, ...thresholdsAt(scorer.model, cluster) }, mms);
    if (filter.state === "persistent") return true;
  }
  return false;
}
