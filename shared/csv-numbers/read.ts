import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { availableParallelism } from "node:os";
import { badData } from "../bad-data.ts";
import type { SkadiError } from "../errors.ts";
import { startHelper } from "../helper-thread.ts";
import { parseBlocks, rowsRead, type SharedRead, shareRead } from "./blocks.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { type LineFault, NEWLINE } from "./parse.ts";

const BLOCK_BYTES = 1024 * 1024;
/** A shorter file is read before a second thread has started. */
const HELPED_MIN_BYTES = 8 * 1024 * 1024;

export interface ReadOptions {
  /** Whether there is a second thread. Default: if the file is large and there is a second processor. */
  helped?: boolean;
  block_bytes?: number;
}

/** A file that is being read. */
export interface Reading {
  /**
   * Row-major values, rows × columns, in the file's order, in memory that threads can share. The calling thread joins
   * in the reading.
   *
   * @throws SkadiError SKADI_BAD_DATA for a row of the wrong length or a cell that is not a finite number, each with
   *   its line
   */
  rows(): Promise<Float64Array>;
  /** Must be called at the end, whatever happened. */
  close(): Promise<void>;
}

/** Reads numeric columns of a CSV file, as `startReading` does, to the end. */
export async function readCsvNumbers(
  path: string,
  columns: readonly string[],
  options: ReadOptions = {},
): Promise<Float64Array> {
  const reading = startReading(path, columns, options);
  try {
    return await reading.rows();
  } finally {
    await reading.close();
  }
}

/**
 * Starts to read numeric columns of a CSV file with a header row, in a second thread. An empty cell is NaN. Cells may
 * be quoted; a quoted line break is not supported.
 *
 * @throws SkadiError SKADI_BAD_DATA for an unreadable file or a missing column
 */
export function startReading(
  path: string,
  columns: readonly string[],
  { helped, block_bytes = BLOCK_BYTES }: ReadOptions = {},
): Reading {
  const fd = orBadData(path, () => openSync(path, "r"));
  let shared: SharedRead;
  try {
    const header = orBadData(path, () => readHeader(fd));
    if (header.bytes === 0) throw badData(path, null, "an empty file", "a header row");
    const layout = layoutOf(header.line, columns);
    requireColumns(path, header.line, layout);
    shared = shareRead({ fd, layout, from: header.bytes, size: fstatSync(fd).size, block_bytes });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const helper =
    (helped ?? (shared.size >= HELPED_MIN_BYTES && availableParallelism() > 1))
      ? startHelper<LineFault | null>(new URL("./read-worker.ts", import.meta.url), shared)
      : null;
  return {
    async rows() {
      const faults = [parseBlocks(shared), (await helper?.result()) ?? null].filter((f) => f !== null);
      const [first] = faults.sort((a, b) => a.line - b.line);
      if (first) throw badLine(path, first, shared.layout);
      return rowsRead(shared);
    },
    async close() {
      await helper?.stop();
      closeSync(fd);
    },
  };
}

function orBadData<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw badData(path, null, undefined, `a readable file (${reason})`);
  }
}

const HEADER_BYTES = 64 * 1024;

/** The first line, and how many bytes it takes with its line break. */
function readHeader(fd: number): { line: string; bytes: number } {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const more = Buffer.alloc(HEADER_BYTES);
    const read = readSync(fd, more, 0, more.length, bytes.length);
    bytes = Buffer.concat([bytes, more.subarray(0, read)]);
    const newline = bytes.indexOf(NEWLINE);
    if (newline >= 0) return { line: bytes.toString("latin1", 0, newline), bytes: newline + 1 };
    if (read === 0) return { line: bytes.toString("latin1"), bytes: bytes.length };
  }
}

function requireColumns(path: string, line: string, { header, columns }: Layout): void {
  const missing = columns.filter((name) => !header.includes(name));
  if (missing.length > 0)
    throw badData(path, missing.join(", "), line.trimEnd(), "these columns in the header");
}

/** The header is line 1. */
function badLine(path: string, { line, column, text }: LineFault, { header }: Layout): SkadiError {
  return column === null
    ? badData(path, `line ${line + 1}`, text, `${header.length} cells as in the header`)
    : badData(path, `line ${line + 1}, column ${column}`, text, "a finite number");
}
