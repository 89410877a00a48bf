import { readSync } from "node:fs";
import type { Layout } from "./layout.ts";
import { type LineFault, NEWLINE, type ParsedLines, parseLines } from "./parse.ts";

/**
 * What the threads that read one file share. The file is cut into blocks, and each thread takes the next one that
 * nobody has taken; rows are put down in the order of the file, so nothing depends on who was faster.
 */
export interface SharedRead {
  /** Open file, valid in all threads of the process. */
  fd: number;
  layout: Layout;
  /** Where the rows begin and the file ends, in bytes. */
  from: number;
  size: number;
  block_bytes: number;
  /** Int32: the next block to take. */
  next: SharedArrayBuffer;
  /** Int32: how many blocks have been put down. */
  done: SharedArrayBuffer;
  /** Float64: how many rows and lines have been put down. */
  totals: SharedArrayBuffer;
  /** Float64: room for as many rows as the file could have. Only what is written to takes up memory. */
  values: SharedArrayBuffer;
}

export function shareRead(
  file: Pick<SharedRead, "fd" | "layout" | "from" | "size" | "block_bytes">,
): SharedRead {
  const values = rowsAtMost(file.size - file.from, file.layout) * file.layout.columns.length;
  return {
    ...file,
    next: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    done: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    totals: new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT),
    values: new SharedArrayBuffer(values * Float64Array.BYTES_PER_ELEMENT),
  };
}

/** More rows cannot begin in so many bytes: each cell has its separator or line break, a lone cell a digit besides. */
function rowsAtMost(bytes: number, { header }: Layout): number {
  return Math.ceil(bytes / Math.max(2, header.length));
}

/**
 * Parses blocks until none is left or a line cannot be used; then nobody takes the later ones.
 *
 * @returns the fault that this thread found, its line counted from the file's first row
 */
export function parseBlocks(shared: SharedRead): LineFault | null {
  const { layout, from, size, block_bytes } = shared;
  const next = new Int32Array(shared.next);
  const blocks = Math.ceil((size - from) / block_bytes);
  const readLines = lineReader(shared);
  const scratch = new Float64Array(rowsAtMost(block_bytes, layout) * layout.columns.length);
  for (;;) {
    const block = Atomics.add(next, 0, 1);
    if (block >= blocks) return null;
    let parsed: ParsedLines = { rows: 0, lines: 0, fault: null };
    let lines_before = 0;
    try {
      const start = from + block * block_bytes;
      const { bytes, first, end } = readLines(start, Math.min(size, start + block_bytes));
      parsed = parseLines(bytes, first, end, layout, scratch);
    } finally {
      // Even if reading failed: the other thread may be waiting for this block.
      lines_before = putDown(shared, block, parsed, scratch);
    }
    if (parsed.fault) {
      Atomics.store(next, 0, blocks);
      return { ...parsed.fault, line: lines_before + parsed.fault.line };
    }
  }
}

/** Waits for the blocks before and puts the rows behind theirs; returns how many lines those had. */
function putDown(
  shared: SharedRead,
  block: number,
  { rows, lines }: ParsedLines,
  from: Float64Array,
): number {
  const done = new Int32Array(shared.done);
  for (let before = Atomics.load(done, 0); before < block; before = Atomics.load(done, 0)) {
    Atomics.wait(done, 0, before);
  }
  const totals = new Float64Array(shared.totals);
  const rows_before = totals[0]!;
  const lines_before = totals[1]!;
  const width = shared.layout.columns.length;
  new Float64Array(shared.values).set(from.subarray(0, rows * width), rows_before * width);
  totals[0] = rows_before + rows;
  totals[1] = lines_before + lines;
  Atomics.store(done, 0, block + 1);
  Atomics.notify(done, 0);
  return lines_before;
}

/** The rows that have been put down, row-major. */
export function rowsRead({ layout, totals, values }: SharedRead): Float64Array {
  const rows = new Float64Array(totals)[0]!;
  return new Float64Array(values, 0, rows * layout.columns.length);
}

/** A line that reaches beyond its block is read on in steps of this. */
const TAIL_BYTES = 4 * 1024;

interface Lines {
  bytes: Buffer;
  /** The lines lie between `first` and `end`, the last newline included. */
  first: number;
  end: number;
}

/** Reads all lines that begin in [start, stop) of the file; `bytes` is valid until the next call. */
function lineReader({ fd, from, block_bytes }: SharedRead): (start: number, stop: number) => Lines {
  let bytes = Buffer.allocUnsafe(block_bytes + TAIL_BYTES);
  return (start, stop) => {
    // The byte before a block tells whether a line begins with it.
    const before = start > from ? 1 : 0;
    const own = stop - start + before;
    let held = 0;
    for (;;) {
      const read = readSync(fd, bytes, held, bytes.length - held - 1, start - before + held);
      held += read;
      const newline = bytes.indexOf(NEWLINE, own - 1);
      if (newline >= 0 && newline < held) return { bytes, first: firstLine(bytes, before), end: newline + 1 };
      if (read === 0) break;
      if (held === bytes.length - 1) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(bytes.length)]);
    }
    // The file ends without a line break.
    bytes[held] = NEWLINE;
    return { bytes, first: firstLine(bytes, before), end: held + 1 };
  };
}

function firstLine(bytes: Buffer, before: number): number {
  return before === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
}
