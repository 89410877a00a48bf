import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Log } from "../../../shared/log.ts";

/** Beyond this many waiting writes (a disk that stays full) the oldest are given up, so that memory stays bounded. */
const QUEUE_MAX = 200_000;

export interface WriteQueue {
  push(statement: StatementSync, parameters: SQLInputValue[]): void;
  /** Runs `task` when the queue has reached the disk. */
  afterFlush(task: () => void): void;
  /** Writes everything now, or throws and keeps it. */
  flush(): void;
  /** Flushes before a read. A disk that is full must not stop the reader, who then sees what is on it. */
  sync(): void;
  /** Flushes for the last time and stops the timer. */
  close(): void;
}

/**
 * Collects writes and runs them in one transaction, at most `flush_ms` of real time after the first of them.
 * A flush that fails (disk full, locked) keeps its writes for the next one.
 */
export function writeQueue(db: DatabaseSync, flush_ms: number, log: Log): WriteQueue {
  let queue: [StatementSync, SQLInputValue[]][] = [];
  let after: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;

  const arm = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      tryFlush();
    }, flush_ms);
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (queue.length === 0) return;
    try {
      db.exec("BEGIN");
      for (const [statement, parameters] of queue) statement.run(...parameters);
      db.exec("COMMIT");
    } catch (error) {
      // SQLite itself may have rolled back already, in which case a ROLLBACK would be the second error.
      if (db.isTransaction) db.exec("ROLLBACK");
      arm();
      throw error;
    }
    queue = [];
    const tasks = after;
    after = [];
    for (const task of tasks) task();
  };
  const tryFlush = () => {
    try {
      flush();
    } catch (error) {
      const excess = Math.max(0, queue.length - QUEUE_MAX);
      queue.splice(0, excess);
      dropped += excess;
      log.error({ err: error, waiting: queue.length, dropped }, "cannot write to the store; will retry");
    }
  };
  return {
    push(statement, parameters) {
      queue.push([statement, parameters]);
      arm();
    },
    afterFlush: (task) => {
      after.push(task);
    },
    flush,
    sync: tryFlush,
    close() {
      flush();
      clearTimeout(timer);
    },
  };
}
