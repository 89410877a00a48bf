import type { DatabaseSync } from "node:sqlite";
import type { ModelAck, ModelRecord, ModelStore, SettingStore } from "../store.ts";
import type { WriteQueue } from "./write-queue.ts";

export function settingTable(db: DatabaseSync, queue: WriteQueue): SettingStore {
  const put = db.prepare("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)");
  const get = db.prepare("SELECT value FROM settings WHERE key = ?");
  return {
    get(key) {
      queue.sync();
      const row = get.get(key);
      return row ? JSON.parse(row.value as string) : undefined;
    },
    put: (key, value) => queue.push(put, [key, JSON.stringify(value)]),
  };
}

export function modelTable(db: DatabaseSync, queue: WriteQueue): ModelStore {
  const put = db.prepare(
    "INSERT OR REPLACE INTO models (id, sha256, created_at, activated_at) VALUES (?, ?, ?, ?)",
  );
  const all = db.prepare("SELECT * FROM models ORDER BY activated_at DESC");
  const put_ack = db.prepare(
    "INSERT OR REPLACE INTO model_acks (model_id, rack_id, ok, ts, errors) VALUES (?, ?, ?, ?, ?)",
  );
  const acks = db.prepare("SELECT * FROM model_acks WHERE model_id = ? ORDER BY rack_id");
  return {
    putActivated: (record) =>
      queue.push(put, [record.id, record.sha256, record.created_at, record.activated_at]),
    activated() {
      queue.sync();
      return all.all().map((row) => ({ ...row }) as unknown as ModelRecord);
    },
    putAck: (model_id, ack) =>
      queue.push(put_ack, [model_id, ack.rack_id, ack.ok ? 1 : 0, ack.ts, JSON.stringify(ack.errors)]),
    acks(model_id) {
      queue.sync();
      return acks.all(model_id).map(
        (row): ModelAck => ({
          rack_id: row.rack_id as string,
          ok: row.ok === 1,
          ts: row.ts as string,
          errors: JSON.parse(row.errors as string),
        }),
      );
    },
  };
}
