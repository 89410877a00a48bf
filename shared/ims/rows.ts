import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { readCsvNumbers } from "../csv-numbers.ts";
import { FEATURES } from "./features.ts";

/** Small, because what is grown beyond need stays in memory for the whole training. */
const GROWTH_SHARE = 0.2;

/** Rows of features that arrive one by one, kept as one row-major matrix. */
export interface RowBuffer {
  /** Appends one row of `width` values. */
  push(row: ArrayLike<number>): void;
  /** The rows so far, n × width; valid until the next push. */
  matrix(): Float64Array;
}

/** @param width values per row: by default the ten telemetry features */
export function rowBuffer(width: number = FEATURES.length, rows_expected = 65_536): RowBuffer {
  let values = new Float64Array(rows_expected * width);
  let used = 0;
  return {
    push(row) {
      if (used + width > values.length) {
        // `transfer` lets the allocator move or extend the block: no second copy is alive at the peak.
        const rows_more = Math.max(1, Math.floor((values.length / width) * GROWTH_SHARE));
        values = new Float64Array(values.buffer.transfer(values.byteLength + rows_more * width * 8));
      }
      for (let j = 0; j < width; j++) values[used + j] = row[j]!;
      used += width;
    },
    matrix: () => values.subarray(0, used),
  };
}

/**
 * Reads columns of a CSV file, by default the ten telemetry features.
 *
 * @returns row-major features, n × columns.length; NaN where a cell is empty
 * @throws SkadiError SKADI_BAD_DATA naming the line and column of the first cell that is not a number
 */
export async function readFeatureRows(
  path: string,
  columns: readonly string[] = FEATURES,
): Promise<Float64Array> {
  const rows = rowBuffer(columns.length, estimateRows(path));
  await readCsvNumbers(path, columns, rows.push);
  return rows.matrix();
}

const PROBE_BYTES = 64 * 1024;
const ROWS_EXPECTED_MIN = 1_024;
const NEWLINE = 10;

/** How many rows a CSV file has, judged by the length of its first ones; growing a large buffer copies it. */
function estimateRows(path: string): number {
  if (!existsSync(path)) return ROWS_EXPECTED_MIN;
  const file = openSync(path, "r");
  const probe = Buffer.allocUnsafe(PROBE_BYTES);
  const bytes = readSync(file, probe, 0, PROBE_BYTES, 0);
  const { size } = fstatSync(file);
  closeSync(file);
  const lines = Math.max(1, probe.subarray(0, bytes).filter((byte) => byte === NEWLINE).length);
  return Math.max(ROWS_EXPECTED_MIN, Math.ceil((1.02 * size * lines) / Math.max(1, bytes)));
}
