import { readCsvNumbers } from "../csv-numbers/read.ts";
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
export function readFeatureRows(path: string, columns: readonly string[] = FEATURES): Promise<Float64Array> {
  return readCsvNumbers(path, columns);
}
