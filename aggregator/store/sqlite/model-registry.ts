import type { DatabaseSync } from "node:sqlite";
import type { Pin, RegisteredModel, StageChange } from "../../../shared/contracts/registry.ts";
import type { RegistryStore } from "../store.ts";
import type { WriteQueue } from "./write-queue.ts";

export function registryTable(db: DatabaseSync, queue: WriteQueue): RegistryStore {
  const put = db.prepare(
    "INSERT OR REPLACE INTO registered_models (sha256, model_id, kind, created_at, lineage) VALUES (?, ?, ?, ?, ?)",
  );
  const add_stage = db.prepare(
    "INSERT INTO model_stages (sha256, ts, stage, set_by, reason) VALUES (?, ?, ?, ?, ?)",
  );
  const models = db.prepare("SELECT * FROM registered_models ORDER BY created_at DESC, rowid DESC");
  const stages = db.prepare("SELECT * FROM model_stages ORDER BY id");
  const activations = db.prepare("SELECT sha256 FROM model_stages WHERE stage = 'active' ORDER BY id");
  const put_pin = db.prepare(
    "INSERT OR REPLACE INTO model_pins (scope, model_id, sha256, set_by, ts) VALUES (?, ?, ?, ?, ?)",
  );
  const remove_pin = db.prepare("DELETE FROM model_pins WHERE scope = ?");
  const pins = db.prepare("SELECT scope, model_id, sha256, set_by AS by, ts FROM model_pins ORDER BY scope");
  return {
    put({ sha256, model_id, kind, created_at, lineage }) {
      queue.push(put, [sha256, model_id, kind, created_at, JSON.stringify(lineage)]);
    },
    addStage(sha256, { ts, stage, by, reason }) {
      queue.push(add_stage, [sha256, ts, stage, by, reason]);
    },
    all() {
      queue.sync();
      const history = Map.groupBy(stages.all(), (row) => row.sha256 as string);
      return models.all().map((row): RegisteredModel => {
        const changes = (history.get(row.sha256 as string) ?? []).map(
          ({ ts, stage, set_by, reason }) => ({ ts, stage, by: set_by, reason }) as StageChange,
        );
        return {
          model_id: row.model_id as string,
          sha256: row.sha256 as string,
          kind: row.kind as RegisteredModel["kind"],
          created_at: row.created_at as string,
          stage: changes.at(-1)?.stage ?? "candidate",
          lineage: JSON.parse(row.lineage as string),
          history: changes,
        };
      });
    },
    activations() {
      queue.sync();
      return activations.all().map((row) => row.sha256 as string);
    },
    putPin: ({ scope, model_id, sha256, by, ts }) => queue.push(put_pin, [scope, model_id, sha256, by, ts]),
    removePin: (scope) => queue.push(remove_pin, [scope]),
    pins() {
      queue.sync();
      return pins.all().map((row) => ({ ...row }) as unknown as Pin);
    },
  };
}
