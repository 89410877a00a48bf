import { open } from "node:fs/promises";
import { badData } from "./bad-data.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const SEPARATORS = [",", ";", "\t", "|"];

/** With at most this many digits, mantissa and power of ten are exact doubles and one division rounds correctly. */
const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i);

/** Receives the wanted columns of one row (the array is reused) and the row's line number; the header is line 1. */
export type NumberRowHandler = (values: Float64Array, line: number) => void;

/**
 * Reads numeric columns of a CSV file with a header row, straight from its bytes. General CSV parsers make a string of
 * every cell, which took 60 % of the time of a whole training (`npm run bench -- ims`); this makes none.
 * An empty cell is NaN. Cells may be quoted; a quoted line break is not supported.
 *
 * @returns the number of rows
 * @throws SkadiError SKADI_BAD_DATA for an unreadable file, a missing column, a row of the wrong length, or a cell that
 *   is not a finite number, each with its line
 */
export async function readCsvNumbers(
  path: string,
  columns: readonly string[],
  handle: NumberRowHandler,
): Promise<number> {
  const file = await openFile(path);
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let held = 0;
  let parser: LineParser | null = null;
  try {
    for (;;) {
      if (held === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const { bytesRead } = await file.read(buffer, held, buffer.length - held, null);
      const end = held + bytesRead;
      const last = bytesRead === 0;
      let at = 0;
      while (at < end) {
        let stop = buffer.indexOf(NEWLINE, at);
        if (stop < 0 || stop >= end) {
          if (!last) break;
          stop = end;
        }
        if (parser) parser.line(buffer, at, stop);
        else parser = lineParser(path, buffer.toString("latin1", at, stop), columns, handle);
        at = Math.min(stop + 1, end);
      }
      if (last) break;
      buffer.copyWithin(0, at, end);
      held = end - at;
    }
  } finally {
    await file.close();
  }
  if (!parser) throw badData(path, null, "an empty file", "a header row");
  return parser.rows();
}

interface LineParser {
  line(bytes: Buffer, from: number, to: number): void;
  rows(): number;
}

function lineParser(
  path: string,
  header_line: string,
  columns: readonly string[],
  handle: NumberRowHandler,
): LineParser {
  const header_text = header_line.trimEnd();
  const separator_text = SEPARATORS.find((s) => header_text.includes(s)) ?? ",";
  const separator = separator_text.charCodeAt(0);
  const header = header_text.split(separator_text).map((name) => name.replaceAll('"', "").trim());
  const missing = columns.filter((name) => !header.includes(name));
  if (missing.length > 0) throw badData(path, missing.join(", "), header_text, "these columns in the header");
  /** Where each column of the file goes in `values`; −1: nowhere. */
  const slots = Int32Array.from(header, (name) => columns.indexOf(name));
  const width = header.length;
  const values = new Float64Array(columns.length);
  let line = 1;
  let rows = 0;
  return {
    rows: () => rows,
    line(bytes, from, to) {
      line++;
      let end = to;
      if (end > from && bytes[end - 1] === CARRIAGE_RETURN) end--;
      if (end === from) return;
      let column = 0;
      let at = from;
      for (; at <= end && column < width; column++) {
        const slot = slots[column]!;
        let stop = at;
        if (slot >= 0) {
          // The plain number that nearly every cell is, read in the same pass that finds its end.
          const negative = bytes[stop] === MINUS;
          if (negative) stop++;
          let mantissa = 0;
          let digits = 0;
          let decimals_from = -1;
          for (; stop < end; stop++) {
            const digit = bytes[stop]! - ZERO;
            if (digit >= 0 && digit <= 9) {
              mantissa = mantissa * 10 + digit;
              digits++;
            } else if (digit === DOT - ZERO && decimals_from < 0) decimals_from = digits;
            else break;
          }
          const ended = stop === end || bytes[stop] === separator;
          if (ended && digits > 0 && digits <= EXACT_DIGITS) {
            const value = decimals_from < 0 ? mantissa : mantissa / POWERS[digits - decimals_from]!;
            values[slot] = negative ? -value : value;
            at = stop + 1;
            continue;
          }
        }
        stop = cellEnd(bytes, at, end, separator);
        if (slot >= 0) {
          const value = parseUnusual(bytes, at, stop);
          if (value === Number.POSITIVE_INFINITY) {
            const text = bytes.toString("latin1", at, stop);
            throw badData(path, `line ${line}, column ${header[column]}`, text, "a finite number");
          }
          values[slot] = value;
        }
        at = stop + 1;
      }
      // Exactly the header's cells, and nothing after the last.
      if (column !== width || at !== end + 1) {
        throw badData(
          path,
          `line ${line}`,
          bytes.toString("latin1", from, end),
          `${width} cells as in the header`,
        );
      }
      rows++;
      handle(values, line);
    },
  };
}

/** The index after the closing quote of a quoted cell; a doubled quote is part of the text. */
function afterQuotes(bytes: Buffer, at: number, end: number): number {
  let stop = at + 1;
  while (stop < end) {
    if (bytes[stop] !== QUOTE) stop++;
    else if (bytes[stop + 1] === QUOTE) stop += 2;
    else return stop + 1;
  }
  return end;
}

function cellEnd(bytes: Buffer, at: number, end: number, separator: number): number {
  let stop = bytes[at] === QUOTE ? afterQuotes(bytes, at, end) : at;
  while (stop < end && bytes[stop] !== separator) stop++;
  return stop;
}

/** Empty cells, exponents, many digits, quotes, spaces: NaN where empty, infinity for what is no finite number. */
function parseUnusual(bytes: Buffer, from: number, to: number): number {
  const text = bytes.toString("latin1", from, to).replaceAll('"', "").trim();
  if (text === "") return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.POSITIVE_INFINITY;
}

async function openFile(path: string) {
  try {
    return await open(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw badData(path, null, undefined, `a readable file (${reason})`);
  }
}
