import type { DatabaseSync } from "node:sqlite";
import { MEASURED_FIELDS } from "../../../shared/contracts/telemetry.ts";

const measured_columns = MEASURED_FIELDS.map((field) => `${field} REAL`).join(", ");
const rollup_columns = MEASURED_FIELDS.map((field) => `${field}_mean REAL, ${field}_max REAL`).join(", ");

/** One entry per version of the database; entries are appended, never edited. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE samples (
    rack_id TEXT NOT NULL, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL, received_ms REAL NOT NULL,
    late INTEGER NOT NULL, interval_s REAL NOT NULL, ${measured_columns},
    quality TEXT,
    d REAL, tau_fast REAL, tau_persist REAL, cluster INTEGER, level TEXT, model_id TEXT,
    contributions TEXT, missing TEXT, scored_by TEXT,
    mms_state TEXT, mms_ema REAL, mms_above INTEGER, mms_below INTEGER,
    PRIMARY KEY (rack_id, seq)
  ) STRICT;
  CREATE INDEX samples_ts ON samples (ts_ms);
  CREATE TABLE rollup_1m (
    rack_id TEXT NOT NULL, minute_ms INTEGER NOT NULL, n INTEGER NOT NULL, ${rollup_columns},
    d_mean REAL, d_max REAL, energy_kwh REAL NOT NULL, tokens REAL NOT NULL,
    PRIMARY KEY (minute_ms, rack_id)
  ) STRICT;
  CREATE TABLE actions (id TEXT PRIMARY KEY, ts_ms INTEGER NOT NULL, action TEXT NOT NULL) STRICT;
  CREATE INDEX actions_ts ON actions (ts_ms);
  CREATE TABLE events (
    id TEXT PRIMARY KEY, ts_ms INTEGER NOT NULL, type TEXT NOT NULL, rack_id TEXT, data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_ts ON events (ts_ms);
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE models (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, created_at TEXT NOT NULL, activated_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE model_acks (
    model_id TEXT NOT NULL, rack_id TEXT NOT NULL, ok INTEGER NOT NULL, ts TEXT NOT NULL, errors TEXT NOT NULL,
    PRIMARY KEY (model_id, rack_id)
  ) STRICT;
  `,
  `
  ALTER TABLE samples ADD COLUMN mms_phase TEXT;
  ALTER TABLE samples ADD COLUMN mms_up REAL;
  ALTER TABLE samples ADD COLUMN mms_down REAL;
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, opened_ms INTEGER NOT NULL, closed_ms INTEGER, status TEXT NOT NULL,
    severity TEXT NOT NULL, incident TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_opened ON incidents (opened_ms);
  CREATE INDEX incidents_closed ON incidents (closed_ms);
  CREATE TABLE maintenance (id TEXT PRIMARY KEY, to_ms INTEGER NOT NULL, maintenance TEXT NOT NULL) STRICT;
  `,
  `
  CREATE TABLE action_chain (
    seq INTEGER PRIMARY KEY, recorded_ms INTEGER NOT NULL, action_id TEXT NOT NULL, action TEXT NOT NULL,
    prev_hash TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE chain_checkpoints (
    seq INTEGER NOT NULL, kind TEXT NOT NULL, checkpoint TEXT NOT NULL, PRIMARY KEY (seq, kind)
  ) STRICT;
  CREATE TRIGGER action_chain_no_update BEFORE UPDATE ON action_chain
  BEGIN SELECT RAISE(ABORT, 'the action chain is append-only'); END;
  CREATE TRIGGER action_chain_no_delete BEFORE DELETE ON action_chain
  WHEN OLD.seq > coalesce((SELECT max(seq) FROM chain_checkpoints WHERE kind = 'anchor'), 0)
  BEGIN SELECT RAISE(ABORT, 'the action chain is append-only'); END;
  CREATE TABLE energy_intervals (start_ms INTEGER PRIMARY KEY, interval TEXT NOT NULL) STRICT;
  `,
  `
  CREATE TABLE registered_models (
    sha256 TEXT PRIMARY KEY, model_id TEXT NOT NULL, kind TEXT NOT NULL, created_at TEXT NOT NULL,
    lineage TEXT NOT NULL
  ) STRICT;
  CREATE TABLE model_stages (
    id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, ts TEXT NOT NULL, stage TEXT NOT NULL, set_by TEXT NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
  CREATE TABLE model_pins (
    scope TEXT PRIMARY KEY, model_id TEXT NOT NULL, sha256 TEXT NOT NULL, set_by TEXT NOT NULL, ts TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE INDEX actions_device ON actions (
    json_extract(action, '$.outcome'), json_extract(action, '$.rack_id'), json_extract(action, '$.target'), ts_ms
  );
  `,
];

/** Brings the database to the current version; each step is one transaction. */
export function migrate(db: DatabaseSync): void {
  const row = db.prepare("PRAGMA user_version").get() as { user_version: number };
  for (let version = row.user_version; version < MIGRATIONS.length; version++) {
    db.exec(`BEGIN; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
}
