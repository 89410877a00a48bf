import type { Action } from "../../shared/contracts/action.ts";
import type {
  Incident,
  IncidentStatus,
  MaintenanceWindow,
  Severity,
} from "../../shared/contracts/incident.ts";
import type { Pin, RegisteredModel, StageChange } from "../../shared/contracts/registry.ts";
import type { Score } from "../../shared/contracts/score.ts";
import type { MeasuredField, TelemetrySample } from "../../shared/contracts/telemetry.ts";
import type { Rejection } from "../../shared/errors.ts";
import type { ChainHead, ChainRow, Checkpoint } from "../audit/chain.ts";
import type { MmsFilter } from "../mms/filter.ts";
import type { EnergyInterval } from "../savings/interval.ts";

/**
 * What the aggregator remembers. Writes are queued and reach the database in one transaction per flush; every read
 * sees what was written before it, flushed or not. One abstract test suite holds every implementation to this.
 */
export interface Store {
  samples: SampleStore;
  rollups: RollupStore;
  actions: ActionStore;
  chain: ChainStore;
  energy: EnergyStore;
  events: EventStore;
  settings: SettingStore;
  models: ModelStore;
  registry: RegistryStore;
  incidents: IncidentStore;
  maintenance: MaintenanceStore;
  /**
   * Writes the queue down now. That outlives the process; a power cut may lose the last seconds of it, unless it is
   * durable: then it, and all that was written before it, is on the disk when this returns, at the cost of an fsync.
   */
  flush(options?: { durable?: boolean }): void;
  /**
   * Deletes samples older than `raw_before_ms`, and rollups, energy intervals, events, actions and closed incidents
   * older than `rollup_before_ms`. The actions' chain is pruned by its journal, which can sign for what goes.
   */
  prune(raw_before_ms: number, rollup_before_ms: number): { samples: number; rollups: number };
  /** Flushes and closes. */
  close(): void;
}

export interface SampleStore {
  /** Keeps a new sample; the caller has made sure that rack and seq are new. */
  add(sample: TelemetrySample, meta: { received_ms: number; late: boolean }): void;
  /** Joins a score (and the MMS filter after it, if it was fed) to the sample of the same rack and seq. */
  attachScore(score: Score, mms: MmsFilter | null): void;
  /** What is known of this rack and seq; null if it was never accepted (or is past its retention). */
  find(rack_id: string, seq: number): { late: boolean; scored: boolean } | null;
  /** The sample with the rack's highest seq that was accepted in order. */
  latest(rack_id: string): ScoredSample | null;
  /** The most recent sample of the rack that was fed to MMS. */
  latestMms(rack_id: string): ScoredSample | null;
  /** Scores, newest first. */
  recentScores(limit: number): Score[];
  /** Instant of the oldest sample; null if there is none. */
  oldestMs(): number | null;
  /** Each rack's last sample in (ts_ms − within_ms, ts_ms]. */
  at(ts_ms: number, within_ms: number): ScoredSample[];
  /** One rack's samples in (from_ms, to_ms], oldest first. */
  ofRack(rack_id: string, from_ms: number, to_ms: number): ScoredSample[];
  /**
   * At most `limit` samples of [from_ms, to_ms) that follow a place in the order of time, rack and seq; null: from the
   * first on. For what is too much to be held at once.
   */
  page(from_ms: number, to_ms: number, after: SamplePlace | null, limit: number): ScoredSample[];
  /** Means of one rack's samples in (from_ms, to_ms]; null where there are none. */
  means(rack_id: string, from_ms: number, to_ms: number): RackMeans | null;
}

/** Of a sample among all of them. */
export interface SamplePlace {
  ts_ms: number;
  rack_id: string;
  seq: number;
}

export interface ScoredSample {
  sample: TelemetrySample;
  ts_ms: number;
  received_ms: number;
  score: Score | null;
  mms: MmsFilter | null;
}

export interface RackMeans {
  samples: number;
  inlet_c: number | null;
  latency_p95_ms: number | null;
  pdu_kw: number | null;
  tokens_ps: number | null;
}

/** One rack's minute, or one site's step on a timeline. */
export interface RollupStore {
  /** Brings the 1-minute rows up to date with the samples; only minutes that changed are computed. */
  update(): void;
  /** Each rack's row of the minute that contains `ts_ms`. */
  minute(ts_ms: number): RackMinute[];
  /** Every rack's minutes that start in [from_ms, to_ms), in order of time. */
  minutes(from_ms: number, to_ms: number): RackMinute[];
  /** One rack in steps of `step_ms`, of its minutes that start in [from_ms, to_ms); oldest first, without empty steps. */
  ofRack(rack_id: string, from_ms: number, to_ms: number, step_ms: number): RackStep[];
  /** Start of the oldest minute; null if there is none. */
  oldestMs(): number | null;
  /** The whole site in steps of `step_ms`, oldest first. */
  timeline(from_ms: number, to_ms: number, step_ms: number): SiteStep[];
  /** Each rack's D in steps of `step_ms`, oldest first; steps in which it has none are left out. */
  deviations(from_ms: number, to_ms: number, step_ms: number): RackDeviation[];
}

export interface RackDeviation {
  ts_ms: number;
  rack_id: string;
  d_mean: number;
  d_max: number;
}

export interface RackMinute {
  rack_id: string;
  minute_ms: number;
  samples: number;
  mean: Record<MeasuredField, number | null>;
  max: Record<MeasuredField, number | null>;
  d_mean: number | null;
  d_max: number | null;
  energy_kwh: number;
  tokens: number;
}

/** Means of a rack's minutes. */
export interface RackStep {
  ts_ms: number;
  mean: Record<MeasuredField, number | null>;
  d_mean: number | null;
}

export interface SiteStep {
  ts_ms: number;
  racks: number;
  inlet_mean_c: number | null;
  inlet_max_c: number | null;
  latency_mean_ms: number | null;
  d_mean: number | null;
  d_max: number | null;
  energy_kwh: number;
  tokens: number;
}

export interface ActionStore {
  /** Keeps an action; the same id again replaces it. */
  put(action: Action): void;
  get(id: string): Action | null;
  /** Newest first. */
  recent(limit: number): Action[];
  /** In [from_ms, to_ms), newest first. */
  between(from_ms: number, to_ms: number, limit: number): Action[];
  /** Of each device (rack and target; a null rack is the site) the newest action with this outcome, in no order. */
  newestPerDevice(outcome: Action["outcome"]): Action[];
  /** One rack's since `from_ms`, newest first. */
  ofRack(rack_id: string, from_ms: number, limit: number): Action[];
  count(): number;
}

/** The versions of the actions, appended for good: a database guards its rows against change. */
export interface ChainStore {
  append(row: ChainRow): void;
  /** The newest row. */
  head(): ChainHead | null;
  /** The last row of those that were all recorded before an instant. */
  lastBefore(before_ms: number): ChainHead | null;
  putCheckpoint(checkpoint: Checkpoint): void;
  /** By seq, ascending. */
  checkpoints(): Checkpoint[];
  /** Deletes the rows up to an anchor that has been put before; returns how many. */
  prune(anchor_seq: number): number;
}

/** What the site used, interval by interval, and whether it was optimised meanwhile. */
export interface EnergyStore {
  put(interval: EnergyInterval): void;
  /** Starting in [from_ms, to_ms), oldest first. */
  between(from_ms: number, to_ms: number): EnergyInterval[];
  /** Start of the newest one; null if there is none. */
  newestMs(): number | null;
}

/** Something that happened, as it is kept and as it goes over the WebSocket. */
export interface StoredEvent {
  id: string;
  ts: string;
  type: string;
  rack_id: string | null;
  data: Record<string, unknown>;
}

export interface EventStore {
  add(event: StoredEvent): void;
  /** In [from_ms, to_ms], newest first; of some types, or of all. */
  between(from_ms: number, to_ms: number, limit: number, types?: readonly string[]): StoredEvent[];
}

/** Small values that must survive a restart: mode, kill switch, counters, the model choice. */
export interface SettingStore {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
}

export interface ModelRecord {
  id: string;
  sha256: string;
  created_at: string;
  activated_at: string;
}

export interface ModelAck {
  rack_id: string;
  ok: boolean;
  ts: string;
  errors: Rejection[];
}

export interface ModelStore {
  putActivated(record: ModelRecord): void;
  activated(): ModelRecord[];
  putAck(model_id: string, ack: ModelAck): void;
  acks(model_id: string): ModelAck[];
}

/** Every model that this site has known, for good: neither models nor their stages are pruned. */
export interface RegistryStore {
  /** Keeps a model; the same sha256 again replaces what is known of it, but not its history. */
  put(model: Omit<RegisteredModel, "stage" | "history">): void;
  addStage(sha256: string, change: StageChange): void;
  /** Newest first, each with its history and so its stage. */
  all(): RegisteredModel[];
  /** SHA-256 of every model at the time it became active, oldest first. */
  activations(): string[];
  /** One per scope: a new one replaces it. */
  putPin(pin: Pin): void;
  removePin(scope: string): void;
  /** By scope. */
  pins(): Pin[];
}

export interface IncidentStore {
  /** Keeps an incident; the same id again replaces it. */
  put(incident: Incident): void;
  get(id: string): Incident | null;
  /** Newest first. */
  recent(filter: {
    status?: IncidentStatus | undefined;
    severity?: Severity | undefined;
    limit: number;
  }): Incident[];
  /** Those that the rack was part of, newest first. */
  ofRack(rack_id: string, limit: number): Incident[];
  /** Those that are not closed, or were at or after `ms`, oldest first. */
  activeOrClosedSince(ms: number): Incident[];
  /** Those that were closed by hand while an alarm of theirs stood, and it has not ended since, oldest first. */
  closedBeforeRecovery(): Incident[];
}

export interface MaintenanceStore {
  put(window: MaintenanceWindow): void;
  remove(id: string): void;
  /** The next to end first. */
  all(): MaintenanceWindow[];
}
