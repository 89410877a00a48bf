import type { DatabaseSync } from "node:sqlite";
import type { Incident, MaintenanceWindow } from "../../../shared/contracts/incident.ts";
import type { IncidentStore, MaintenanceStore } from "../store.ts";
import type { WriteQueue } from "./write-queue.ts";

export function incidentTable(db: DatabaseSync, queue: WriteQueue): IncidentStore {
  const put = db.prepare(
    "INSERT OR REPLACE INTO incidents (id, opened_ms, closed_ms, status, severity, incident) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const get = db.prepare("SELECT incident FROM incidents WHERE id = ?");
  const recent = db.prepare(
    `SELECT incident FROM incidents
     WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR severity = ?2)
     ORDER BY opened_ms DESC, id DESC LIMIT ?3`,
  );
  const since = db.prepare(
    "SELECT incident FROM incidents WHERE closed_ms IS NULL OR closed_ms >= ? ORDER BY opened_ms, id",
  );
  const before_recovery = db.prepare(
    `SELECT incident FROM incidents
     WHERE status = 'closed' AND json_extract(incident, '$.merged_into') IS NULL AND EXISTS (
       SELECT 1 FROM json_each(incident, '$.racks') WHERE json_extract(value, '$.recovered_at') IS NULL)
     ORDER BY opened_ms, id`,
  );
  const of_rack = db.prepare(
    `SELECT incident FROM incidents WHERE EXISTS (
       SELECT 1 FROM json_each(incident, '$.racks') WHERE json_extract(value, '$.rack_id') = ?)
     ORDER BY opened_ms DESC, id DESC LIMIT ?`,
  );
  const parse = (row: Record<string, unknown>) => JSON.parse(row.incident as string) as Incident;
  return {
    put: (incident) =>
      queue.push(put, [
        incident.id,
        Date.parse(incident.opened_at),
        incident.closed_at === null ? null : Date.parse(incident.closed_at),
        incident.status,
        incident.severity,
        JSON.stringify(incident),
      ]),
    get(id) {
      queue.sync();
      const row = get.get(id);
      return row ? parse(row) : null;
    },
    recent({ status, severity, limit }) {
      queue.sync();
      return recent.all(status ?? null, severity ?? null, limit).map(parse);
    },
    ofRack(rack_id, limit) {
      queue.sync();
      return of_rack.all(rack_id, limit).map(parse);
    },
    activeOrClosedSince(ms) {
      queue.sync();
      return since.all(ms).map(parse);
    },
    closedBeforeRecovery() {
      queue.sync();
      return before_recovery.all().map(parse);
    },
  };
}

export function maintenanceTable(db: DatabaseSync, queue: WriteQueue): MaintenanceStore {
  const put = db.prepare("INSERT OR REPLACE INTO maintenance (id, to_ms, maintenance) VALUES (?, ?, ?)");
  const remove = db.prepare("DELETE FROM maintenance WHERE id = ?");
  const all = db.prepare("SELECT maintenance FROM maintenance ORDER BY to_ms, id");
  return {
    put: (window) => queue.push(put, [window.id, Date.parse(window.to), JSON.stringify(window)]),
    remove: (id) => queue.push(remove, [id]),
    all() {
      queue.sync();
      return all.all().map((row) => JSON.parse(row.maintenance as string) as MaintenanceWindow);
    },
  };
}
