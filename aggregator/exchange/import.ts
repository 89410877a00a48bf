import { parseValue } from "../../shared/contracts/parse.ts";
import { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { type Rejection, reject, SkadiError } from "../../shared/errors.ts";
import type { Store } from "../store/store.ts";
import { readCsvRows } from "./csv.ts";
import type { Format } from "./export.ts";
import { fromRow } from "./row.ts";

export interface Imported {
  rows: number;
  imported: number;
  /** Rows whose rack and seq are stored already. */
  known: number;
}

interface ImportRequest {
  store: Pick<Store, "samples" | "flush">;
  path: string;
  format: Format;
  rack_ids: ReadonlySet<string>;
  now_ms: number;
}

/** As many rows are written in one transaction. */
const BATCH = 5_000;

/**
 * Adds a file's samples to the history. They are late by definition: neither a rack's present nor MMS is moved by them,
 * but the 1-minute rows are. A file may be imported again: what is known is left alone.
 *
 * @throws SkadiError SKADI_BAD_DATA for the first row that is no telemetry of this site; those before it are in
 */
export async function importFile(request: ImportRequest): Promise<Imported> {
  const { store, path, format, rack_ids, now_ms } = request;
  const done: Imported = { rows: 0, imported: 0, known: 0 };
  const handle = (row: Parameters<typeof fromRow>[0], where: string) => {
    const parsed = parseValue(TelemetrySample, fromRow(row));
    if (!parsed.ok) throw badRow(path, where, parsed.rejections);
    const sample = parsed.value;
    const { rack_id, seq } = sample;
    if (!rack_ids.has(rack_id)) {
      const detail = { field: "rack_id", value: rack_id, expected: "a rack of this site" };
      throw badRow(path, where, [reject("SKADI_UNKNOWN_RACK", detail)]);
    }
    done.rows++;
    if (store.samples.find(rack_id, seq)) {
      done.known++;
      return;
    }
    store.samples.add(sample, { received_ms: now_ms, late: true });
    done.imported++;
    if (done.imported % BATCH === 0) store.flush();
  };
  const afterChunk = async () => store.flush();
  if (format === "csv") await readCsvRows(path, handle, afterChunk);
  else {
    const { readParquetRows } = await import("./parquet.ts");
    await readParquetRows(path, handle, afterChunk);
  }
  store.flush();
  return done;
}

function badRow(path: string, where: string, rejections: readonly Rejection[]): SkadiError {
  return new SkadiError(
    rejections.map(({ field, value, expected = "a valid value", message }) => ({
      code: "SKADI_BAD_DATA",
      message: `${path}: ${where}: ${message}`,
      field: `${path}: ${where}${field === undefined ? "" : `, ${field}`}`,
      value,
      expected,
    })),
  );
}
