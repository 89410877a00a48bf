import type { DatabaseSync } from "node:sqlite";
import type { ChainEvidence, ChainRow, Checkpoint } from "../../audit/chain.ts";
import type { ChainStore } from "../store.ts";
import type { WriteQueue } from "./write-queue.ts";

type Head = { seq: number; hash: string };

export function chainTable(db: DatabaseSync, queue: WriteQueue): ChainStore {
  const insert = db.prepare(
    "INSERT INTO action_chain (seq, recorded_ms, action_id, action, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const head = db.prepare("SELECT seq, hash FROM action_chain ORDER BY seq DESC LIMIT 1");
  const last_before = db.prepare(
    `SELECT seq, hash FROM action_chain
     WHERE seq < coalesce((SELECT min(seq) FROM action_chain WHERE recorded_ms >= ?), 9e15)
     ORDER BY seq DESC LIMIT 1`,
  );
  const put = db.prepare("INSERT OR REPLACE INTO chain_checkpoints (seq, kind, checkpoint) VALUES (?, ?, ?)");
  const prune = db.prepare("DELETE FROM action_chain WHERE seq <= ?");
  const toHead = (row: Record<string, unknown> | undefined) => (row ? ({ ...row } as Head) : null);
  return {
    append: (row) =>
      queue.push(insert, [row.seq, row.recorded_ms, row.action_id, row.action, row.prev_hash, row.hash]),
    head() {
      queue.sync();
      return toHead(head.get());
    },
    lastBefore(before_ms) {
      queue.sync();
      return toHead(last_before.get(before_ms));
    },
    putCheckpoint: (checkpoint) =>
      queue.push(put, [checkpoint.seq, checkpoint.kind, JSON.stringify(checkpoint)]),
    checkpoints() {
      queue.sync();
      return readCheckpoints(db);
    },
    prune(anchor_seq) {
      queue.sync();
      return Number(prune.run(anchor_seq).changes);
    },
  };
}

function readCheckpoints(db: DatabaseSync): Checkpoint[] {
  return db
    .prepare("SELECT checkpoint FROM chain_checkpoints ORDER BY seq, kind DESC")
    .all()
    .map((row) => JSON.parse(row.checkpoint as string) as Checkpoint);
}

/** Everything that a database says of its action log, as it stands on the disk. */
export function readEvidence(db: DatabaseSync): ChainEvidence {
  const rows = db.prepare("SELECT * FROM action_chain ORDER BY seq").iterate();
  const log = db.prepare("SELECT id, action FROM actions").all();
  return {
    rows: rows as unknown as Iterable<ChainRow>,
    checkpoints: readCheckpoints(db),
    log: new Map(log.map((row) => [row.id as string, row.action as string])),
  };
}
