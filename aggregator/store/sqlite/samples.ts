import type { DatabaseSync } from "node:sqlite";
import type { RackMeans, SampleStore } from "../store.ts";
import type { RollupTable } from "./rollups.ts";
import {
  INSERT_COLUMNS,
  insertValues,
  type Row,
  SCORE_COLUMNS,
  scoreValues,
  toScore,
  toScoredSample,
} from "./sample-columns.ts";
import { samplePages } from "./sample-pages.ts";
import type { WriteQueue } from "./write-queue.ts";

export function sampleTable(db: DatabaseSync, queue: WriteQueue, rollups: RollupTable): SampleStore {
  const insert = db.prepare(
    `INSERT OR IGNORE INTO samples (${INSERT_COLUMNS.join(", ")}) VALUES (${INSERT_COLUMNS.map(() => "?").join(", ")})`,
  );
  const attach = db.prepare(
    `UPDATE samples SET ${SCORE_COLUMNS.map((c) => `${c} = ?`).join(", ")} WHERE rack_id = ? AND seq = ?`,
  );
  const select = db.prepare("SELECT late, d FROM samples WHERE rack_id = ? AND seq = ?");
  const latest = db.prepare("SELECT * FROM samples WHERE rack_id = ? AND late = 0 ORDER BY seq DESC LIMIT 1");
  const latest_mms = db.prepare(
    "SELECT * FROM samples WHERE rack_id = ? AND mms_state IS NOT NULL ORDER BY seq DESC LIMIT 1",
  );
  const scores = db.prepare("SELECT * FROM samples WHERE d IS NOT NULL ORDER BY ts_ms DESC, rack_id LIMIT ?");
  const oldest = db.prepare("SELECT min(ts_ms) AS ts_ms FROM samples");
  // With max() in the select list SQLite takes the other columns from the row that has the maximum.
  const at = db.prepare(
    "SELECT *, max(ts_ms) AS newest FROM samples WHERE ts_ms > ? AND ts_ms <= ? GROUP BY rack_id ORDER BY rack_id",
  );
  const of_rack = db.prepare("SELECT * FROM samples WHERE rack_id = ? ORDER BY seq DESC");
  const page = samplePages(db);
  const means = db.prepare(
    `SELECT count(*) AS samples, avg(inlet_c) AS inlet_c, avg(latency_p95_ms) AS latency_p95_ms,
       avg(pdu_kw) AS pdu_kw, avg(tokens_ps) AS tokens_ps
     FROM samples INDEXED BY samples_ts WHERE ts_ms > ? AND ts_ms <= ? AND rack_id = ?`,
  );
  // Rack and seq of what is queued but not on disk yet; emptied by every flush.
  const waiting = new Map<string, { late: boolean; scored: boolean }>();
  const key = (rack_id: string, seq: number) => `${rack_id}/${seq}`;
  const find = (rack_id: string, seq: number) => {
    const queued = waiting.get(key(rack_id, seq));
    if (queued) return queued;
    const row = select.get(rack_id, seq);
    return row ? { late: row.late === 1, scored: row.d !== null } : null;
  };
  const remember = (rack_id: string, seq: number, state: { late: boolean; scored: boolean }) => {
    if (waiting.size === 0) queue.afterFlush(() => waiting.clear());
    waiting.set(key(rack_id, seq), state);
  };

  return {
    add(sample, meta) {
      queue.push(insert, insertValues(sample, meta));
      remember(sample.rack_id, sample.seq, { late: meta.late, scored: false });
      rollups.touch(Date.parse(sample.ts));
    },
    attachScore(score, mms) {
      const late = find(score.rack_id, score.seq)?.late ?? false;
      queue.push(attach, [...scoreValues(score, mms), score.rack_id, score.seq]);
      remember(score.rack_id, score.seq, { late, scored: true });
      rollups.touch(Date.parse(score.ts));
    },
    find,
    latest(rack_id) {
      queue.sync();
      const row = latest.get(rack_id) as Row | undefined;
      return row ? toScoredSample(row) : null;
    },
    latestMms(rack_id) {
      queue.sync();
      const row = latest_mms.get(rack_id) as Row | undefined;
      return row ? toScoredSample(row) : null;
    },
    recentScores(limit) {
      queue.sync();
      return (scores.all(limit) as Row[]).map(toScore);
    },
    oldestMs() {
      queue.sync();
      return (oldest.get()?.ts_ms as number | null | undefined) ?? null;
    },
    at(ts_ms, within_ms) {
      queue.sync();
      return (at.all(ts_ms - within_ms, ts_ms) as Row[]).map(toScoredSample);
    },
    ofRack(rack_id, from_ms, to_ms) {
      queue.sync();
      const rows: Row[] = [];
      // A rack's numbers rise with its time, so that its own newest rows are all that is read: an index by rack and
      // time would cost every write.
      for (const row of of_rack.iterate(rack_id) as Iterable<Row>) {
        const ts_ms = row.ts_ms as number;
        if (ts_ms <= from_ms) break;
        if (ts_ms <= to_ms) rows.push(row);
      }
      // After a clock was set back the two differ.
      return rows.sort((a, b) => (a.ts_ms as number) - (b.ts_ms as number)).map(toScoredSample);
    },
    page(...range) {
      queue.sync();
      return page(...range);
    },
    means(rack_id, from_ms, to_ms) {
      queue.sync();
      const row = means.get(from_ms, to_ms, rack_id) as unknown as RackMeans;
      return row.samples > 0 ? { ...row } : null;
    },
  };
}
