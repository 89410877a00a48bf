import type { DatabaseSync } from "node:sqlite";
import type { SamplePlace, ScoredSample } from "../store.ts";
import { type Row, toScoredSample } from "./sample-columns.ts";

/** Pages through the samples of a time range in the order of time, rack and seq; no cursor is left open in between. */
export function samplePages(db: DatabaseSync) {
  const select = db.prepare(
    `SELECT * FROM samples
     WHERE ts_ms >= ?1 AND ts_ms < ?2 AND (ts_ms > ?3 OR (rack_id, seq) > (?4, ?5))
     ORDER BY ts_ms, rack_id, seq LIMIT ?6`,
  );
  return (from_ms: number, to_ms: number, after: SamplePlace | null, limit: number): ScoredSample[] => {
    const start_ms = after?.ts_ms ?? from_ms;
    const rows = select.all(start_ms, to_ms, start_ms, after?.rack_id ?? "", after?.seq ?? -1, limit);
    return (rows as Row[]).map(toScoredSample);
  };
}
