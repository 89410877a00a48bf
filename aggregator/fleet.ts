import type { Status } from "../shared/contracts/messages.ts";
import { racksOf, rowOf } from "../shared/contracts/rack.ts";
import type { Score } from "../shared/contracts/score.ts";
import type { TelemetrySample } from "../shared/contracts/telemetry.ts";
import type { ClockLag } from "./ingest/clock-lag.ts";
import type { LateRun } from "./ingest/order.ts";
import { SLOW_D_SCORES, slowDOf } from "./ingest/slow-d.ts";
import { conditionOf, type MmsFilter, type RackCondition } from "./mms/filter.ts";
import type { ScoredSample, Store } from "./store/store.ts";

/** Data older than this says nothing about now. */
const FRESH_MS = 60_000;

/** What is known of one rack right now. */
export interface Rack {
  readonly rack_id: string;
  readonly row: string;
  /** 1 … n within the row. */
  readonly position: number;
  status: Status | null;
  /** The last sample accepted in order, and its timestamp and arrival on the aggregator's clock. */
  sample: TelemetrySample | null;
  ts_ms: number;
  received_ms: number;
  score: Score | null;
  mms: MmsFilter | null;
  /** D averaged over minutes, for decisions that must not hang on a lucky sample. */
  d_slow: number | null;
  last_seq: number | null;
  last_scored_seq: number | null;
  late_run: LateRun | null;
  clock_lag: ClockLag | null;
  /** Numbers missing from this rack's sequence so far. */
  lost: number;
}

export interface Fleet {
  readonly racks: readonly Rack[];
  get(rack_id: string): Rack | undefined;
}

/** The racks of the site, each with what the store last knew of it. */
export function createFleet(layout: { rows: readonly string[]; racks_per_row: number }, store: Store): Fleet {
  const racks = racksOf(layout.rows, layout.racks_per_row).map((rack_id, i) =>
    restoreRack(rack_id, (i % layout.racks_per_row) + 1, store),
  );
  const by_id = new Map(racks.map((rack) => [rack.rack_id, rack]));
  return { racks, get: (rack_id) => by_id.get(rack_id) };
}

function restoreRack(rack_id: string, position: number, store: Store): Rack {
  const latest = store.samples.latest(rack_id);
  const scored = store.samples.latestMms(rack_id);
  return {
    rack_id,
    row: rowOf(rack_id),
    position,
    status: null,
    sample: latest?.sample ?? null,
    ts_ms: latest?.ts_ms ?? Number.NEGATIVE_INFINITY,
    received_ms: latest?.received_ms ?? Number.NEGATIVE_INFINITY,
    score: scored?.score ?? null,
    mms: scored?.mms ?? null,
    d_slow: scored && slowDBefore(scored, store),
    last_seq: latest?.sample.seq ?? null,
    last_scored_seq: scored?.sample.seq ?? null,
    late_run: null,
    clock_lag: null,
    lost: 0,
  };
}

/** MMS's own average is a fast one: one high score before a restart would take good changes back. */
function slowDBefore({ sample, ts_ms }: ScoredSample, store: Store): number | null {
  const from_ms = ts_ms - SLOW_D_SCORES * sample.interval_s * 1000;
  const before = store.samples.ofRack(sample.rack_id, from_ms, ts_ms);
  return slowDOf(before.flatMap(({ score, mms }) => (score && mms ? [score] : [])));
}

export const agentOnline = (rack: { status: Pick<Status, "state"> | null }): boolean =>
  rack.status?.state === "online";

/** Telemetry of this rack arrived recently. */
export const isFresh = (rack: Rack, now_ms: number): boolean => now_ms - rack.received_ms <= FRESH_MS;

export const isOnline = (rack: Rack, now_ms: number): boolean => agentOnline(rack) || isFresh(rack, now_ms);

/** Age of what was measured: neither a backlog that just arrived nor a clock that runs ahead counts as new. */
export const dataAgeMs = (rack: Rack, now_ms: number): number =>
  now_ms - Math.min(rack.ts_ms, rack.received_ms);

/** The same for alarms, which a slow clock must not keep away: where it is known to be wrong, the arrival counts. */
export const alarmAgeMs = (rack: Rack, now_ms: number): number =>
  rack.clock_lag?.steady ? now_ms - rack.received_ms : dataAgeMs(rack, now_ms);

export const rackCondition = (rack: Rack): RackCondition => conditionOf(rack.mms, rack.score);
