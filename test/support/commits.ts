import { DatabaseSync } from "node:sqlite";
import { vi } from "vitest";

/** SQLite's number for `synchronous = FULL`: a commit returns when it is on the disk. */
const FULL = 2;

/** Which of the commits that `task` makes would outlast a power cut, as nobody can cut the power in a test. */
export function commitsOf(task: () => void): ("synced" | "unsynced")[] {
  const commits: ("synced" | "unsynced")[] = [];
  const { exec } = DatabaseSync.prototype;
  const spy = vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
    exec.call(this, sql);
    if (sql !== "COMMIT") return;
    const { synchronous } = this.prepare("PRAGMA synchronous").get() as { synchronous: number };
    commits.push(synchronous >= FULL ? "synced" : "unsynced");
  });
  try {
    task();
  } finally {
    spy.mockRestore();
  }
  return commits;
}
