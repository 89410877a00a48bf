import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { layoutOf } from "../../../shared/csv-numbers/layout.ts";
import { startHelper } from "../../../shared/helper-thread.ts";
import { isoTime } from "../../../shared/time.ts";
import type { DataFacts } from "./lineage.ts";

const BLOCK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const ISO_DATE = /^\d{4}-\d{2}-\d{2}/;
/** A smaller file is done before a thread has started. */
const THREAD_MIN_BYTES = 8 * 1024 * 1024;

/** `csvFacts` in a thread of its own, if the file is large; `stop` must be called at the end, whatever happened. */
export function startCsvFacts(path: string): { result(): Promise<DataFacts>; stop(): Promise<unknown> } {
  if (statSync(path).size >= THREAD_MIN_BYTES)
    return startHelper<DataFacts>(new URL("./csv-facts-worker.ts", import.meta.url), path);
  return { result: async () => csvFacts(path), stop: async () => undefined };
}

/** The hash of a CSV file, and the first and last instant in its column `ts`, in whatever order its rows are. */
export function csvFacts(path: string): DataFacts {
  const hash = createHash("sha256");
  const span = instantSpan();
  const fd = openSync(path, "r");
  try {
    let lines = Buffer.allocUnsafe(BLOCK_BYTES);
    let held = 0;
    for (;;) {
      const read = readSync(fd, lines, held, lines.length - held, null);
      hash.update(lines.subarray(held, held + read));
      held += read;
      // The file may end without a line break.
      const end = read === 0 ? held : lines.lastIndexOf(NEWLINE, held - 1) + 1;
      span.take(lines.subarray(0, end));
      if (read === 0) break;
      lines.copyWithin(0, end, held);
      held -= end;
      if (held === lines.length) lines = Buffer.concat([lines, Buffer.allocUnsafe(lines.length)]);
    }
  } finally {
    closeSync(fd);
  }
  return { sha256: hash.digest("hex"), ...span.result() };
}

/** Goes through whole lines, the header first. */
function instantSpan() {
  let column: { index: number; separator: number } | null | undefined;
  let from_ms = Number.POSITIVE_INFINITY;
  let to_ms = Number.NEGATIVE_INFINITY;
  /** Neighbouring rows mostly have the same instant, which need not be parsed again. */
  let last = Buffer.alloc(0);
  const note = (cell: Buffer) => {
    last = Buffer.from(cell);
    const text = cell.toString("latin1").replaceAll('"', "").trim();
    // Date.parse alone makes a year of any number.
    const ms = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(ms)) return;
    from_ms = Math.min(from_ms, ms);
    to_ms = Math.max(to_ms, ms);
  };
  return {
    take(lines: Buffer) {
      for (let at = 0; at < lines.length; ) {
        const newline = lines.indexOf(NEWLINE, at);
        const end = newline < 0 ? lines.length : newline;
        if (column === undefined) column = instantColumn(lines.toString("latin1", at, end));
        else if (column) {
          const start = cellStart(lines, at, end, column);
          if (start !== null && !isCell(last, lines, start, end, column.separator))
            note(cellAt(lines, start, end, column.separator));
        }
        at = end + 1;
      }
    },
    result: () =>
      from_ms <= to_ms ? { from: isoTime(from_ms), to: isoTime(to_ms) } : { from: null, to: null },
  };
}

function instantColumn(header_line: string): { index: number; separator: number } | null {
  const { header, separator } = layoutOf(header_line, []);
  const index = header.indexOf("ts");
  return index < 0 ? null : { index, separator };
}

function cellStart(
  lines: Buffer,
  from: number,
  end: number,
  { index, separator }: { index: number; separator: number },
): number | null {
  let start = from;
  for (let before = 0; before < index; before++) {
    const next = lines.indexOf(separator, start);
    if (next < 0 || next >= end) return null;
    start = next + 1;
  }
  return start;
}

/** Whether the cell that starts here is this one, without a view of the bytes for every line. */
function isCell(cell: Buffer, lines: Buffer, start: number, end: number, separator: number): boolean {
  const stop = start + cell.length;
  if (stop > end || (stop < end && lines[stop] !== separator)) return false;
  for (let i = 0; i < cell.length; i++) if (lines[start + i] !== cell[i]) return false;
  return true;
}

function cellAt(lines: Buffer, start: number, end: number, separator: number): Buffer {
  const next = lines.indexOf(separator, start);
  return lines.subarray(start, next < 0 || next > end ? end : next);
}
