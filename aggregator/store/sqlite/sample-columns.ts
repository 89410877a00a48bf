import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { MmsState, Score } from "../../../shared/contracts/score.ts";
import { MEASURED_FIELDS, type TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { isoTime } from "../../../shared/time.ts";
import type { MmsFilter } from "../../mms/filter.ts";
import type { MmsPhase } from "../../mms/sequential.ts";
import type { ScoredSample } from "../store.ts";

export type Row = Record<string, SQLOutputValue>;

export const INSERT_COLUMNS = [
  "rack_id",
  "seq",
  "ts_ms",
  "received_ms",
  "late",
  "interval_s",
  ...MEASURED_FIELDS,
  "quality",
] as const;

export const SCORE_COLUMNS = [
  "d",
  "tau_fast",
  "tau_persist",
  "cluster",
  "level",
  "model_id",
  "contributions",
  "missing",
  "scored_by",
  "mms_state",
  "mms_ema",
  "mms_above",
  "mms_below",
  "mms_phase",
  "mms_up",
  "mms_down",
] as const;

export function insertValues(
  sample: TelemetrySample,
  meta: { received_ms: number; late: boolean },
): SQLInputValue[] {
  return [
    sample.rack_id,
    sample.seq,
    Date.parse(sample.ts),
    meta.received_ms,
    meta.late ? 1 : 0,
    sample.interval_s,
    ...MEASURED_FIELDS.map((field) => sample[field]),
    // Nearly every sample is good throughout; only the others spend bytes on saying so.
    isAllGood(sample) ? null : JSON.stringify(sample.quality),
  ];
}

function isAllGood(sample: TelemetrySample): boolean {
  return MEASURED_FIELDS.every((field) => sample.quality[field] === "good");
}

export function scoreValues(score: Score, mms: MmsFilter | null): SQLInputValue[] {
  return [
    score.d,
    score.tau_fast,
    score.tau_persist,
    score.cluster,
    score.state,
    score.model_id,
    JSON.stringify(score.contributions),
    score.missing.length > 0 ? JSON.stringify(score.missing) : null,
    score.scored_by,
    mms?.state ?? null,
    mms?.ema ?? null,
    mms?.above ?? null,
    mms?.below ?? null,
    mms?.test?.phase ?? null,
    mms?.test?.up ?? null,
    mms?.test?.down ?? null,
  ];
}

export function toScoredSample(row: Row): ScoredSample {
  const ts_ms = row.ts_ms as number;
  return {
    sample: toSample(row),
    ts_ms,
    received_ms: row.received_ms as number,
    score: row.d === null ? null : toScore(row),
    mms: row.mms_state === null ? null : toFilter(row),
  };
}

function toSample(row: Row): TelemetrySample {
  const measured = Object.fromEntries(MEASURED_FIELDS.map((field) => [field, row[field]]));
  const quality =
    row.quality === null
      ? Object.fromEntries(MEASURED_FIELDS.map((field) => [field, "good"]))
      : JSON.parse(row.quality as string);
  return {
    v: 1,
    ts: isoTime(row.ts_ms as number),
    rack_id: row.rack_id as string,
    seq: row.seq as number,
    interval_s: row.interval_s as number,
    ...measured,
    quality,
  } as TelemetrySample;
}

export function toScore(row: Row): Score {
  return {
    v: 1,
    ts: isoTime(row.ts_ms as number),
    rack_id: row.rack_id as string,
    seq: row.seq as number,
    d: row.d as number,
    tau_fast: row.tau_fast as number,
    tau_persist: row.tau_persist as number,
    cluster: row.cluster as number,
    contributions: JSON.parse(row.contributions as string),
    missing: row.missing === null ? [] : JSON.parse(row.missing as string),
    model_id: row.model_id as string,
    state: row.level as Score["state"],
    scored_by: row.scored_by as Score["scored_by"],
  };
}

function toFilter(row: Row): MmsFilter {
  const filter = {
    state: row.mms_state as MmsState,
    ema: row.mms_ema as number,
    above: row.mms_above as number,
    below: row.mms_below as number,
  };
  if (row.mms_phase === null) return filter;
  const phase = row.mms_phase as MmsPhase;
  return { ...filter, test: { phase, up: row.mms_up as number, down: row.mms_down as number } };
}
