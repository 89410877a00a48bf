import { readCsvNumbers } from "../csv-numbers.ts";
import { FEATURES } from "./features.ts";

const F = FEATURES.length;

/** Rows of features that arrive one by one, kept as one row-major matrix. */
export interface RowBuffer {
  /** Appends one row of FEATURES. */
  push(row: ArrayLike<number>): void;
  /** The rows so far, n × FEATURES.length; valid until the next push. */
  matrix(): Float64Array;
}

export function rowBuffer(rows_expected = 65_536): RowBuffer {
  let values = new Float64Array(rows_expected * F);
  let used = 0;
  return {
    push(row) {
      if (used + F > values.length) {
        // `transfer` lets the allocator move or extend the block: no second copy is alive at the peak.
        values = new Float64Array(values.buffer.transfer(values.byteLength * 2));
      }
      for (let j = 0; j < F; j++) values[used + j] = row[j]!;
      used += F;
    },
    matrix: () => values.subarray(0, used),
  };
}

/**
 * Reads the feature columns of a CSV file.
 *
 * @returns row-major features, n × FEATURES.length; NaN where a cell is empty
 * @throws SkadiError SKADI_BAD_DATA naming the line and column of the first cell that is not a number
 */
export async function readFeatureRows(path: string): Promise<Float64Array> {
  const rows = rowBuffer();
  await readCsvNumbers(path, FEATURES, rows.push);
  return rows.matrix();
}
