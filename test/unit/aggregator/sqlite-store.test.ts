import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { openSqliteStore } from "../../../aggregator/store/sqlite/sqlite-store.ts";
import { createLog } from "../../../shared/log.ts";
import { commitsOf } from "../../support/commits.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { storeSuite, telemetry } from "./store-suite.ts";

const log = createLog("test", "silent");
const openFile = (file: string, flush_ms = 60_000) => openSqliteStore(file, { flush_ms, log });

storeSuite("SQLite", () => {
  const file = join(temporaryFolder(), "store.db");
  const store = openFile(file);
  return {
    store,
    reopen() {
      store.close();
      return openFile(file);
    },
  };
});

it("writes reach the disk within the flush time, without anybody reading", async () => {
  const file = join(temporaryFolder(), "store.db");
  const store = openFile(file, 20);
  store.samples.add(telemetry("R-A-01", 1), { received_ms: 0, late: false });
  const other = new DatabaseSync(file, { readOnly: true });
  await eventually("the sample on disk", () => other.prepare("SELECT 1 FROM samples").get());
  other.close();
  store.close();
});

it("a store that cannot be written keeps what it was given and writes it later", async () => {
  const file = join(temporaryFolder(), "store.db");
  const store = openSqliteStore(file, { flush_ms: 10, log, busy_timeout_ms: 0 });
  const blocker = new DatabaseSync(file);
  blocker.exec("BEGIN IMMEDIATE");
  store.samples.add(telemetry("R-A-01", 1), { received_ms: 0, late: false });
  expect(() => store.flush()).toThrow(/locked/);
  expect(store.samples.find("R-A-01", 1)).not.toBeNull();
  blocker.exec("ROLLBACK");
  await eventually("the sample on disk", () => blocker.prepare("SELECT 1 FROM samples").get());
  blocker.close();
  store.close();
});

it("a durable flush is synced to the disk, an ordinary one is not", () => {
  const store = openFile(join(temporaryFolder(), "store.db"));
  const flushes = (options: { durable?: boolean }) =>
    commitsOf(() => {
      store.settings.put("mode", options);
      store.flush(options);
    });
  expect([{}, { durable: true }, {}].map(flushes)).toEqual([["unsynced"], ["synced"], ["unsynced"]]);
  store.close();
});

it("a durable flush syncs what an ordinary one has written before it, and while somebody reads", () => {
  const file = join(temporaryFolder(), "store.db");
  const store = openFile(file);
  const reader = new DatabaseSync(file, { readOnly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT * FROM settings").all();
  store.settings.put("mode", { kill_switch: true });
  store.flush();
  const logged = () => statSync(`${file}-wal`).size;
  const before = logged();
  expect(commitsOf(() => store.flush({ durable: true }))).toEqual(["synced"]);
  // SQLite syncs no commit that has nothing to write.
  expect(logged()).toBeGreaterThan(before);
  reader.close();
  store.close();
});

it("a durable flush that fails leaves those after it as they were", () => {
  const file = join(temporaryFolder(), "store.db");
  const store = openSqliteStore(file, { flush_ms: 60_000, log, busy_timeout_ms: 0 });
  const blocker = new DatabaseSync(file);
  blocker.exec("BEGIN IMMEDIATE");
  store.settings.put("mode", { kill_switch: true });
  expect(() => store.flush({ durable: true })).toThrow(/locked/);
  blocker.close();
  expect(commitsOf(() => store.flush())).toEqual(["unsynced"]);
  expect(store.settings.get("mode")).toEqual({ kill_switch: true });
  store.close();
});

it("minutes that a crash left without a rollup are made up at the next start", () => {
  const file = join(temporaryFolder(), "store.db");
  const store = openFile(file);
  store.samples.add(telemetry("R-A-01", 1), { received_ms: 0, late: false });
  store.flush();
  const { ts_ms } = store.samples.latest("R-A-01") ?? { ts_ms: 0 };
  const after_crash = openFile(file);
  after_crash.rollups.update();
  expect(after_crash.rollups.minute(ts_ms)).toHaveLength(1);
  after_crash.close();
  store.close();
});
