import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { UpChannel } from "../../shared/contracts/topics.ts";
import { LANES, type Lane, type Letter, laneOf } from "./outbox.ts";

export interface StoredLetter extends Letter {
  readonly id: number;
}

/** How often the write-ahead log is worked into the database, in pages of 4 KiB: half of the disk's reserve. */
const CHECKPOINT_PAGES = 128;
const PAGE_BYTES = 4096;

/** `level`: how often it was rolled up. Ids count upwards over both lanes. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS news (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, payload TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY, channel TEXT NOT NULL, level INTEGER NOT NULL, payload TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS history_channel_level ON history (channel, level);
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
`;

/** The database file of an outbox: plain statements, no policy. Everything here throws what SQLite throws. */
export interface LetterFile {
  /** All or nothing; returns when it is on the disk, so that not even a power cut loses it. */
  transaction(task: () => void): void;
  insert(letter: Letter): void;
  remove(lane: Lane, id: number): void;
  /** A rolled-up letter in the place of the one that it replaces. */
  replace(id: number, payload: string): void;
  after(lane: Lane, id: number, limit: number): StoredLetter[];
  /** History of one channel and level behind `id`, oldest first. */
  rolled(channel: UpChannel, level: number, id: number, limit: number): StoredLetter[];
  /** The id of the `n`-th letter of the history (from 1), or of the last if there are fewer; 0 if there is none. */
  nthHistoryId(n: number): number;
  count(): number;
  lastSeq(): number;
  setLastSeq(seq: number): void;
  /** Pages that letters occupy, and pages within the file that are free for new ones. */
  pages(): { used_bytes: number; free_pages: number };
  checkpoint(): void;
  close(): void;
}

/**
 * Opens or makes the file, for this process alone: a second agent of the same rack is refused.
 *
 * WAL with synchronous FULL: a commit is on the disk when it returns (sqlite.org/pragma.html#pragma_synchronous). The
 * price, one fsync, is small at a message per few seconds.
 */
export function openLetterFile(file: string, bytes_max: number): LetterFile {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file);
  try {
    return letterFile(db, bytes_max);
  } catch (error) {
    db.close();
    throw error;
  }
}

function letterFile(db: DatabaseSync, bytes_max: number): LetterFile {
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  // In KiB: what is written is soon sent, and not read again.
  db.exec("PRAGMA cache_size = -512;");
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};`);
  db.exec(`PRAGMA max_page_count = ${Math.floor(bytes_max / PAGE_BYTES)};`);
  db.exec(SCHEMA);
  const number = (statement: StatementSync, ...parameters: (string | number)[]): number => {
    const row = statement.get(...parameters);
    return row ? Number(Object.values(row)[0] ?? 0) : 0;
  };
  const insert = {
    news: db.prepare("INSERT INTO news (id, channel, payload) VALUES (?, ?, ?)"),
    history: db.prepare("INSERT INTO history (id, channel, payload, level) VALUES (?, ?, ?, 0)"),
  };
  const remove = perLane((lane) => db.prepare(`DELETE FROM ${lane} WHERE id = ?`));
  const after = perLane((lane) =>
    db.prepare(`SELECT id, channel, payload FROM ${lane} WHERE id > ? ORDER BY id LIMIT ?`),
  );
  const replace = db.prepare("UPDATE history SET payload = ?, level = level + 1 WHERE id = ?");
  const rolled = db.prepare(
    "SELECT id, channel, payload FROM history WHERE channel = ? AND level = ? AND id > ? ORDER BY id LIMIT ?",
  );
  const nth = db.prepare("SELECT max(id) FROM (SELECT id FROM history ORDER BY id LIMIT ?)");
  const count = db.prepare("SELECT (SELECT count(*) FROM news) + (SELECT count(*) FROM history)");
  const last_seq = db.prepare("SELECT value FROM counters WHERE name = 'seq'");
  const set_last_seq = db.prepare("INSERT OR REPLACE INTO counters (name, value) VALUES ('seq', ?)");
  const page_count = db.prepare("PRAGMA page_count");
  const freelist_count = db.prepare("PRAGMA freelist_count");
  const last_id = db.prepare(
    "SELECT max((SELECT coalesce(max(id), 0) FROM news), (SELECT coalesce(max(id), 0) FROM history))",
  );
  let next_id = number(last_id) + 1;

  return {
    transaction(task) {
      db.exec("BEGIN IMMEDIATE");
      try {
        task();
        db.exec("COMMIT");
      } catch (error) {
        // SQLite itself may have rolled back already, in which case a ROLLBACK would be the second error.
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
    },
    insert({ channel, payload }) {
      insert[laneOf(channel)].run(next_id++, channel, payload);
    },
    remove(lane, id) {
      remove[lane].run(id);
    },
    replace(id, payload) {
      replace.run(payload, id);
    },
    after: (lane, id, limit) => after[lane].all(id, limit) as unknown as StoredLetter[],
    rolled: (channel, level, id, limit) => rolled.all(channel, level, id, limit) as unknown as StoredLetter[],
    nthHistoryId: (n) => number(nth, n),
    count: () => number(count),
    lastSeq: () => number(last_seq),
    setLastSeq(seq) {
      set_last_seq.run(seq);
    },
    pages() {
      const free_pages = number(freelist_count);
      return { used_bytes: (number(page_count) - free_pages) * PAGE_BYTES, free_pages };
    },
    checkpoint() {
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
    close: () => db.close(),
  };
}

function perLane<T>(make: (lane: Lane) => T): Record<Lane, T> {
  return Object.fromEntries(LANES.map((lane) => [lane, make(lane)])) as Record<Lane, T>;
}
