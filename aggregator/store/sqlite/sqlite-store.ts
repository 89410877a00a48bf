import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Log } from "../../../shared/log.ts";
import type { Store } from "../store.ts";
import { chainTable } from "./chain.ts";
import { energyTable } from "./energy.ts";
import { incidentTable, maintenanceTable } from "./incidents.ts";
import { actionTable, eventTable } from "./logs.ts";
import { registryTable } from "./model-registry.ts";
import { modelTable, settingTable } from "./registry.ts";
import { rollupTable } from "./rollups.ts";
import { sampleTable } from "./samples.ts";
import { migrate } from "./schema.ts";
import { writeQueue } from "./write-queue.ts";

export interface SqliteOptions {
  flush_ms: number;
  log: Log;
  /** How long a write waits for another process that holds the database. */
  busy_timeout_ms?: number;
}

/** Opens (or makes) the database file. WAL lets the training worker read while the aggregator writes. */
export function openSqliteStore(file: string, options: SqliteOptions): Store {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: options.busy_timeout_ms ?? 5_000 });
  // NORMAL in WAL mode: a power cut may lose the last flushes, durable ones excepted, but never corrupts
  // (sqlite.org/pragma.html#pragma_synchronous).
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  migrate(db);
  const queue = writeQueue(db, options.flush_ms, options.log);
  const rollups = rollupTable(db, queue);
  const touch = db.prepare("PRAGMA application_id = 0");
  const prune_samples = db.prepare("DELETE FROM samples WHERE ts_ms < ?");
  const aged = [
    "rollup_1m WHERE minute_ms",
    "energy_intervals WHERE start_ms",
    "events WHERE ts_ms",
    "actions WHERE ts_ms",
    "incidents WHERE closed_ms",
    "maintenance WHERE to_ms",
  ];
  const prune_old = aged.map((target) => db.prepare(`DELETE FROM ${target} < ?`));
  return {
    samples: sampleTable(db, queue, rollups),
    rollups,
    actions: actionTable(db, queue),
    chain: chainTable(db, queue),
    energy: energyTable(db, queue),
    events: eventTable(db, queue),
    settings: settingTable(db, queue),
    models: modelTable(db, queue),
    registry: registryTable(db, queue),
    incidents: incidentTable(db, queue),
    maintenance: maintenanceTable(db, queue),
    flush({ durable = false } = {}) {
      if (!durable) return queue.flush();
      // Only a commit that writes something is synced, and what it is about may have been flushed already.
      queue.push(touch, []);
      // A commit under FULL syncs the log, with all that is in it. A checkpoint would not do: while a reader such as
      // the training worker holds it up, it syncs nothing, and does not say so.
      db.exec("PRAGMA synchronous = FULL");
      try {
        queue.flush();
      } finally {
        db.exec("PRAGMA synchronous = NORMAL");
      }
    },
    prune(raw_before_ms, rollup_before_ms) {
      rollups.update();
      const samples = Number(prune_samples.run(raw_before_ms).changes);
      const [rolled = 0] = prune_old.map((statement) => Number(statement.run(rollup_before_ms).changes));
      return { samples, rollups: rolled };
    },
    close() {
      rollups.update();
      queue.close();
      db.close();
    },
  };
}
