import type { DatabaseSync } from "node:sqlite";
import { MEASURED_FIELDS, type MeasuredField } from "../../../shared/contracts/telemetry.ts";
import type { RackDeviation, RackMinute, RackStep, RollupStore, SiteStep } from "../store.ts";
import type { Row } from "./sample-columns.ts";
import type { WriteQueue } from "./write-queue.ts";

const MINUTE_MS = 60_000;

export interface RollupTable extends RollupStore {
  /** Marks the minute of `ts_ms` as changed. */
  touch(ts_ms: number): void;
}

/** 1-minute rows per rack, computed from the raw samples by SQL, so that late samples and late scores count too. */
export function rollupTable(db: DatabaseSync, queue: WriteQueue): RollupTable {
  const aggregates = MEASURED_FIELDS.flatMap((field) => [`avg(${field})`, `max(${field})`]);
  const columns = MEASURED_FIELDS.flatMap((field) => [`${field}_mean`, `${field}_max`]);
  const all = ["n", ...columns, "d_mean", "d_max", "energy_kwh", "tokens"];
  // The last line: once raw samples have been deleted, a straggler must not replace the minute they left behind.
  const compute = db.prepare(
    `INSERT INTO rollup_1m (rack_id, minute_ms, ${all.join(", ")})
     SELECT rack_id, ?, count(*), ${aggregates.join(", ")}, avg(d), max(d),
       coalesce(sum(pdu_kw * interval_s), 0) / 3600, coalesce(sum(tokens_ps * interval_s), 0)
     FROM samples WHERE ts_ms >= ? AND ts_ms < ? GROUP BY rack_id
     ON CONFLICT (minute_ms, rack_id) DO UPDATE SET ${all.map((c) => `${c} = excluded.${c}`).join(", ")}
     WHERE excluded.n >= rollup_1m.n`,
  );
  const minute = db.prepare("SELECT * FROM rollup_1m WHERE minute_ms = ? ORDER BY rack_id");
  const minutes = db.prepare(
    "SELECT * FROM rollup_1m WHERE minute_ms >= ? AND minute_ms < ? ORDER BY minute_ms, rack_id",
  );
  // Minute by minute by the primary key: a range of it would pass by every rack's rows.
  const of_rack = db.prepare(
    `WITH RECURSIVE minutes (at) AS (
       SELECT CAST(?3 AS INTEGER) WHERE ?3 < ?4
       UNION ALL SELECT at + ${MINUTE_MS} FROM minutes WHERE at + ${MINUTE_MS} < ?4
     )
     SELECT at / CAST(?1 AS INTEGER) * CAST(?1 AS INTEGER) AS ts_ms, avg(d_mean) AS d_mean,
       ${MEASURED_FIELDS.map((field) => `avg(${field}_mean) AS ${field}_mean`).join(", ")}
     FROM minutes CROSS JOIN rollup_1m r ON r.minute_ms = at AND r.rack_id = ?2 GROUP BY 1 ORDER BY 1`,
  );
  const oldest = db.prepare("SELECT min(minute_ms) AS minute_ms FROM rollup_1m");
  const timeline = db.prepare(
    // The cast: numbers are bound as REAL, and a step must divide as an integer.
    `SELECT minute_ms / CAST(?1 AS INTEGER) * CAST(?1 AS INTEGER) AS ts_ms, count(DISTINCT rack_id) AS racks,
       avg(inlet_c_mean) AS inlet_mean_c, max(inlet_c_max) AS inlet_max_c,
       avg(latency_p95_ms_mean) AS latency_mean_ms, avg(d_mean) AS d_mean,
       max(d_max) AS d_max, sum(energy_kwh) AS energy_kwh, sum(tokens) AS tokens
     FROM rollup_1m WHERE minute_ms >= ?2 AND minute_ms <= ?3 GROUP BY 1 ORDER BY 1`,
  );
  const deviations = db.prepare(
    `SELECT minute_ms / CAST(?1 AS INTEGER) * CAST(?1 AS INTEGER) AS ts_ms, rack_id,
       avg(d_mean) AS d_mean, max(d_max) AS d_max
     FROM rollup_1m WHERE minute_ms >= ?2 AND minute_ms <= ?3 AND d_mean IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  const changed = new Set<number>(minutesSinceLastRollup(db));

  const update = () => {
    queue.sync();
    if (changed.size === 0) return;
    db.exec("BEGIN");
    try {
      for (const at of changed) compute.run(at, at, at + MINUTE_MS);
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
    changed.clear();
  };
  return {
    touch: (ts_ms) => {
      changed.add(Math.floor(ts_ms / MINUTE_MS) * MINUTE_MS);
    },
    update,
    minute(ts_ms) {
      update();
      return (minute.all(Math.floor(ts_ms / MINUTE_MS) * MINUTE_MS) as Row[]).map(toRackMinute);
    },
    minutes(from_ms, to_ms) {
      update();
      return (minutes.all(from_ms, to_ms) as Row[]).map(toRackMinute);
    },
    ofRack(rack_id, from_ms, to_ms, step_ms) {
      update();
      const first_ms = Math.ceil(from_ms / MINUTE_MS) * MINUTE_MS;
      return (of_rack.all(step_ms, rack_id, first_ms, to_ms) as Row[]).map(toRackStep);
    },
    oldestMs() {
      update();
      return (oldest.get()?.minute_ms as number | null | undefined) ?? null;
    },
    timeline(from_ms, to_ms, step_ms) {
      update();
      const rows = timeline.all(step_ms, Math.floor(from_ms / MINUTE_MS) * MINUTE_MS, to_ms);
      return rows.map((row) => ({ ...row }) as unknown as SiteStep);
    },
    deviations(from_ms, to_ms, step_ms) {
      update();
      const rows = deviations.all(step_ms, Math.floor(from_ms / MINUTE_MS) * MINUTE_MS, to_ms);
      return rows.map((row) => ({ ...row }) as unknown as RackDeviation);
    },
  };
}

/** What a crash may have left without a rollup: every minute from the last one that has one. */
function minutesSinceLastRollup(db: DatabaseSync): number[] {
  const last = db.prepare("SELECT max(minute_ms) AS at FROM rollup_1m").get() as { at: number | null };
  const rows = db
    .prepare(`SELECT DISTINCT ts_ms / ${MINUTE_MS} * ${MINUTE_MS} AS at FROM samples WHERE ts_ms >= ?`)
    .all(last.at ?? 0);
  return rows.map((row) => row.at as number);
}

function measuredOf(row: Row, suffix: "mean" | "max"): Record<MeasuredField, number | null> {
  return Object.fromEntries(MEASURED_FIELDS.map((field) => [field, row[`${field}_${suffix}`]])) as Record<
    MeasuredField,
    number | null
  >;
}

function toRackStep(row: Row): RackStep {
  return {
    ts_ms: row.ts_ms as number,
    mean: measuredOf(row, "mean"),
    d_mean: row.d_mean as number | null,
  };
}

function toRackMinute(row: Row): RackMinute {
  return {
    rack_id: row.rack_id as string,
    minute_ms: row.minute_ms as number,
    samples: row.n as number,
    mean: measuredOf(row, "mean"),
    max: measuredOf(row, "max"),
    d_mean: row.d_mean as number | null,
    d_max: row.d_max as number | null,
    energy_kwh: row.energy_kwh as number,
    tokens: row.tokens as number,
  };
}
