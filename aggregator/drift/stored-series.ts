import { DatabaseSync } from "node:sqlite";
import { MEASURED_FIELDS, type TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { believed } from "../../shared/ims/believed.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { rowBuffer } from "../../shared/ims/rows.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import type { Span } from "./exclusions.ts";

/** One rack's stored telemetry, oldest first. */
export interface RackSeries {
  rack_id: string;
  ts_ms: Float64Array;
  /** n × FEATURES.length; NaN where missing or not believed. */
  x: Float64Array;
  /** Whether MMS called the rack persistent at that time. */
  persistent: Uint8Array;
}

/** Reads one rack in [from_ms, to_ms), every `stride`th row. */
export type ReadSeries = (rack_id: string, from_ms: number, to_ms: number, stride: number) => RackSeries;

export interface StoredSeries {
  read: ReadSeries;
  /** Rows of the site in [from_ms, to_ms). */
  count(from_ms: number, to_ms: number): number;
  /** The first and the last instant of [from_ms, to_ms) that has rows; null without any. */
  span(from_ms: number, to_ms: number): Span | null;
  close(): void;
}

/** Telemetry of a store's file, for threads that must not hold up the one that writes it. */
export function openStoredSeries(database: string): StoredSeries {
  const db = new DatabaseSync(database, { readOnly: true, timeout: 5_000 });
  // The plus keeps the planner on the rack's own rows instead of the whole site's between the two instants.
  const select = db.prepare(
    `SELECT ts_ms, mms_state, quality, interval_s, ${MEASURED_FIELDS.join(", ")} FROM samples
     WHERE rack_id = ? AND +ts_ms >= ? AND +ts_ms < ? ORDER BY ts_ms`,
  );
  const count = db.prepare("SELECT count(*) AS n FROM samples WHERE ts_ms >= ? AND ts_ms < ?");
  const ends = db.prepare(
    "SELECT min(ts_ms) AS first, max(ts_ms) AS last FROM samples WHERE ts_ms >= ? AND ts_ms < ?",
  );
  return {
    read(rack_id, from_ms, to_ms, stride) {
      const rows = rowBuffer(FEATURES.length + 2, 1_024);
      const row = new Float64Array(FEATURES.length + 2);
      let n = 0;
      for (const stored of select.iterate(rack_id, from_ms, to_ms)) {
        if (n++ % stride !== 0) continue;
        toFeatures(believedOf(stored), row);
        row[FEATURES.length] = stored.ts_ms as number;
        row[FEATURES.length + 1] = stored.mms_state === "persistent" ? 1 : 0;
        rows.push(row);
      }
      return seriesOf(rack_id, rows.matrix());
    },
    count: (from_ms, to_ms) => (count.get(from_ms, to_ms) as { n: number }).n,
    span(from_ms, to_ms) {
      const { first, last } = ends.get(from_ms, to_ms) as { first: number | null; last: number | null };
      return first === null || last === null ? null : { from_ms: first, to_ms: last };
    },
    close: () => db.close(),
  };
}

function believedOf(stored: Record<string, unknown>): TelemetrySample {
  const sample = stored as unknown as TelemetrySample;
  return stored.quality === null
    ? sample
    : believed({ ...sample, quality: JSON.parse(stored.quality as string) });
}

/** Takes the two columns behind the features apart. */
function seriesOf(rack_id: string, rows: Float64Array): RackSeries {
  const F = FEATURES.length;
  const n = rows.length / (F + 2);
  const series: RackSeries = {
    rack_id,
    ts_ms: new Float64Array(n),
    x: new Float64Array(n * F),
    persistent: new Uint8Array(n),
  };
  for (let i = 0; i < n; i++) {
    const at = i * (F + 2);
    series.x.set(rows.subarray(at, at + F), i * F);
    series.ts_ms[i] = rows[at + F]!;
    series.persistent[i] = rows[at + F + 1]!;
  }
  return series;
}
