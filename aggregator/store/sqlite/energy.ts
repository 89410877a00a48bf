import type { DatabaseSync } from "node:sqlite";
import type { EnergyInterval } from "../../savings/interval.ts";
import type { EnergyStore } from "../store.ts";
import type { WriteQueue } from "./write-queue.ts";

export function energyTable(db: DatabaseSync, queue: WriteQueue): EnergyStore {
  const put = db.prepare("INSERT OR REPLACE INTO energy_intervals (start_ms, interval) VALUES (?, ?)");
  const between = db.prepare(
    "SELECT interval FROM energy_intervals WHERE start_ms >= ? AND start_ms < ? ORDER BY start_ms",
  );
  const newest = db.prepare("SELECT max(start_ms) AS at FROM energy_intervals");
  return {
    put: (interval) => queue.push(put, [interval.start_ms, JSON.stringify(interval)]),
    between(from_ms, to_ms) {
      queue.sync();
      return between.all(from_ms, to_ms).map((row) => JSON.parse(row.interval as string) as EnergyInterval);
    },
    newestMs() {
      queue.sync();
      return newest.get()?.at as number | null;
    },
  };
}
