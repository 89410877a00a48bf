import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { RackTarget } from "../shared/contracts/action.ts";
import type { AgentConfig } from "../shared/contracts/agent-config.ts";
import { type Parsed, parsePayload } from "../shared/contracts/parse.ts";
import type { Log } from "../shared/log.ts";
import { Decision } from "./journal-record.ts";

/**
 * What the guardrail decided and why, and what it has left in force, on disk. Nothing waits for it and nothing fails
 * with it: a journal that cannot be written is reported once and tried again with the next decision.
 */
export interface Journal {
  record(decision: Decision, at_ms: number): void;
  /** Targets whose setpoint the guardrail made and has not handed back; also those of earlier runs. */
  owned(): RackTarget[];
  setOwned(targets: readonly RackTarget[]): void;
  /** Targets that the optimizer or an operator has set to less cooling, or more heat. */
  warmed(): RackTarget[];
  setWarmed(targets: readonly RackTarget[]): void;
  close(): void;
}

/** About 3 KB each. */
const ROWS_MAX = 20_000;
const KEPT_MS = 30 * 86_400_000;
/** Another process that reads must not hold up the guardrail for long. */
const BUSY_TIMEOUT_MS = 100;
/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html). */
const BROKEN: readonly unknown[] = [11, 26];
const DECISION_MAX_BYTES = 256 * 1024;

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -256;
  CREATE TABLE IF NOT EXISTS decisions (n INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, at_ms REAL NOT NULL, record TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS decisions_at ON decisions (at_ms);
  CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

export function journalFile({ model, rack_id }: Pick<AgentConfig, "model" | "rack_id">): string {
  return join(model.cache_dir, `${rack_id}.journal.db`);
}

export function openJournal(file: string, log: Log): Journal {
  let db: DatabaseSync | null = null;
  let complained = false;

  const open = () => {
    mkdirSync(dirname(file), { recursive: true });
    db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    db.exec(SCHEMA);
    return db;
  };
  const shut = () => {
    try {
      db?.close();
    } catch (error) {
      log.debug({ event: "journal_close_failed", file, reason: String(error) });
    }
    db = null;
  };
  /** The next one starts empty; what cannot be read any more is kept for whoever wants to know why. */
  const setAside = () => {
    shut();
    renameSync(file, `${file}.broken`);
    for (const end of ["-wal", "-shm"]) rmSync(file + end, { force: true });
  };
  const attempt = <T>(task: (db: DatabaseSync) => T, otherwise: T): T => {
    for (let tries = 0; ; tries++) {
      try {
        const result = task(db ?? open());
        if (complained) log.info({ event: "journal_works_again", file });
        complained = false;
        return result;
      } catch (error) {
        if (!complained) log.error({ event: "journal_failed", file, err: error });
        complained = true;
        if (tries > 0 || !isBroken(error)) {
          shut();
          return otherwise;
        }
        try {
          setAside();
        } catch (failure) {
          log.error({ event: "journal_not_set_aside", file, err: failure });
          return otherwise;
        }
      }
    }
  };
  const noted = (name: string): RackTarget[] => {
    if (!existsSync(file)) return [];
    return attempt((open_db) => {
      const row = open_db.prepare("SELECT value FROM notes WHERE name = ?").get(name);
      if (!row) return [];
      const parsed = parsePayload(z.array(RackTarget), Buffer.from(String(row.value)));
      if (parsed.ok) return parsed.value;
      log.error({ event: "journal_unreadable", file, rejections: parsed.rejections });
      return [];
    }, []);
  };
  const note = (name: string, targets: readonly RackTarget[]): void =>
    attempt((open_db) => {
      open_db
        .prepare("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)")
        .run(name, JSON.stringify(targets));
    }, undefined);
  return {
    record(decision, at_ms) {
      attempt((open_db) => {
        open_db
          .prepare("INSERT OR REPLACE INTO decisions (id, at_ms, record) VALUES (?, ?, ?)")
          .run(decision.id, at_ms, JSON.stringify(decision));
        open_db
          .prepare("DELETE FROM decisions WHERE at_ms < ? OR n <= (SELECT max(n) FROM decisions) - ?")
          .run(at_ms - KEPT_MS, ROWS_MAX);
      }, undefined);
    },
    owned: () => noted("owned"),
    setOwned: (targets) => note("owned", targets),
    // By the name that it had when only approvals in advisory were noted.
    warmed: () => noted("approved_warming"),
    setWarmed: (targets) => note("approved_warming", targets),
    close: shut,
  };
}

function isBroken(error: unknown): boolean {
  return BROKEN.includes((error as { errcode?: unknown } | null)?.errcode);
}

/**
 * Reads one decision beside a running agent.
 *
 * @param id a decision's id, or that of one of its actions (`<decision>.<n>`)
 * @returns null if there is none; a rejection if another version wrote it in a form that this one cannot read
 * @throws what node:sqlite throws where the file is missing or is no journal
 */
export function readDecision(file: string, id: string): Parsed<Decision> | null {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    const row = db
      .prepare("SELECT record FROM decisions WHERE id IN (?, ?)")
      .get(id, id.replace(/\.\d+$/, ""));
    return row ? parsePayload(Decision, Buffer.from(String(row.record)), DECISION_MAX_BYTES) : null;
  } finally {
    db.close();
  }
}
