import type { DatabaseSync } from "node:sqlite";
import type { Action } from "../../../shared/contracts/action.ts";
import { isoTime } from "../../../shared/time.ts";
import type { ActionStore, EventStore } from "../store.ts";
import type { WriteQueue } from "./write-queue.ts";

export function actionTable(db: DatabaseSync, queue: WriteQueue): ActionStore {
  const put = db.prepare("INSERT OR REPLACE INTO actions (id, ts_ms, action) VALUES (?, ?, ?)");
  const get = db.prepare("SELECT action FROM actions WHERE id = ?");
  const recent = db.prepare("SELECT action FROM actions ORDER BY ts_ms DESC, rowid DESC LIMIT ?");
  const between = db.prepare(
    "SELECT action FROM actions WHERE ts_ms >= ? AND ts_ms < ? ORDER BY ts_ms DESC, rowid DESC LIMIT ?",
  );
  const of_rack = db.prepare(
    `SELECT action FROM actions WHERE ts_ms >= ? AND json_extract(action, '$.rack_id') = ?
     ORDER BY ts_ms DESC, rowid DESC LIMIT ?`,
  );
  const newest_per_device = db.prepare(
    `SELECT (
       SELECT action FROM actions
       WHERE json_extract(action, '$.outcome') = ?1
         AND json_extract(action, '$.rack_id') IS device.rack_id
         AND json_extract(action, '$.target') = device.target
       ORDER BY ts_ms DESC, rowid DESC LIMIT 1
     ) AS action
     FROM (
       SELECT DISTINCT json_extract(action, '$.rack_id') AS rack_id, json_extract(action, '$.target') AS target
       FROM actions WHERE json_extract(action, '$.outcome') = ?1
     ) AS device`,
  );
  const count = db.prepare("SELECT count(*) AS n FROM actions");
  const parse = (row: Record<string, unknown>) => JSON.parse(row.action as string) as Action;
  return {
    put: (action) => queue.push(put, [action.id, Date.parse(action.ts), JSON.stringify(action)]),
    get(id) {
      queue.sync();
      const row = get.get(id);
      return row ? parse(row) : null;
    },
    recent(limit) {
      queue.sync();
      return recent.all(limit).map(parse);
    },
    between(from_ms, to_ms, limit) {
      queue.sync();
      return between.all(from_ms, to_ms, limit).map(parse);
    },
    newestPerDevice(outcome) {
      queue.sync();
      return newest_per_device.all(outcome).map(parse);
    },
    ofRack(rack_id, from_ms, limit) {
      queue.sync();
      return of_rack.all(from_ms, rack_id, limit).map(parse);
    },
    count() {
      queue.sync();
      return count.get()?.n as number;
    },
  };
}

export function eventTable(db: DatabaseSync, queue: WriteQueue): EventStore {
  const add = db.prepare(
    "INSERT OR IGNORE INTO events (id, ts_ms, type, rack_id, data) VALUES (?, ?, ?, ?, ?)",
  );
  const between = db.prepare(
    `SELECT * FROM events WHERE ts_ms >= ?1 AND ts_ms <= ?2
       AND (?3 IS NULL OR type IN (SELECT value FROM json_each(?3)))
     ORDER BY ts_ms DESC, rowid DESC LIMIT ?4`,
  );
  return {
    add: (event) =>
      queue.push(add, [
        event.id,
        Date.parse(event.ts),
        event.type,
        event.rack_id,
        JSON.stringify(event.data),
      ]),
    between(from_ms, to_ms, limit, types) {
      queue.sync();
      const wanted = types ? JSON.stringify(types) : null;
      return between.all(from_ms, to_ms, wanted, limit).map((row) => ({
        id: row.id as string,
        ts: isoTime(row.ts_ms as number),
        type: row.type as string,
        rack_id: row.rack_id as string | null,
        data: JSON.parse(row.data as string),
      }));
    },
  };
}
