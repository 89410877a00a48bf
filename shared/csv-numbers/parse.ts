import type { Layout } from "./layout.ts";

export const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;

/** With at most this many digits, mantissa and power of ten are exact doubles and one division rounds correctly. */
const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i);

/** Why a line cannot be used. */
export interface LineFault {
  /** The first of the lines that were parsed together is 1. */
  line: number;
  /** null: the row has the wrong length. */
  column: string | null;
  text: string;
}

export interface ParsedLines {
  rows: number;
  /** Empty ones included. */
  lines: number;
  fault: LineFault | null;
}

/**
 * Parses whole lines of a CSV file, straight from its bytes. General CSV parsers make a string of every cell, which
 * took most of the time of a whole training (`npm run bench -- ims`); this makes none. An empty cell is NaN. Cells may
 * be quoted; a quoted line break is not supported.
 *
 * @param bytes of which those from `from` to `to` end in a newline
 * @param out receives the wanted columns, row after row
 */
export function parseLines(
  bytes: Buffer,
  from: number,
  to: number,
  layout: Layout,
  out: Float64Array,
): ParsedLines {
  const { separator, header, columns } = layout;
  const width = header.length;
  const values = columns.length;
  /** Where in a row's values each column of the file goes; −1: nowhere. */
  const slots = Int32Array.from(header, (name) => columns.indexOf(name));
  let rows = 0;
  let lines = 0;
  let fault: LineFault | null = null;
  for (let at = from; at < to && !fault; ) {
    lines++;
    const start = at;
    if (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE) at++;
    if (bytes[at] === NEWLINE) {
      at++;
      continue;
    }
    const row = rows * values;
    let column = 0;
    let byte = separator;
    for (; byte === separator && column < width; column++) {
      if (column > 0) at++;
      const cell = at;
      const slot = slots[column]!;
      byte = bytes[at]!;
      if (slot < 0 && byte !== QUOTE) {
        while (byte !== separator && byte !== NEWLINE) byte = bytes[++at]!;
        continue;
      }
      // The plain number that nearly every cell is, read in the same pass that finds its end.
      const negative = byte === MINUS;
      if (negative) byte = bytes[++at]!;
      let mantissa = 0;
      let digits = 0;
      let decimals_from = -1;
      for (; ; byte = bytes[++at]!) {
        const digit = byte - ZERO;
        if (digit >= 0 && digit <= 9) {
          mantissa = mantissa * 10 + digit;
          digits++;
        } else if (byte === DOT && decimals_from < 0) decimals_from = digits;
        else break;
      }
      const ended =
        byte === separator || byte === NEWLINE || (byte === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE);
      if (ended && digits > 0 && digits <= EXACT_DIGITS) {
        const value = decimals_from < 0 ? mantissa : mantissa / POWERS[digits - decimals_from]!;
        out[row + slot] = negative ? -value : value;
        continue;
      }
      at = cellEnd(bytes, cell, lineEnd(bytes, cell), separator);
      byte = bytes[at]!;
      if (slot < 0) continue;
      const value = parseUnusual(bytes, cell, at);
      if (value === Number.POSITIVE_INFINITY) {
        fault = { line: lines, column: header[column]!, text: bytes.toString("latin1", cell, at) };
        break;
      }
      out[row + slot] = value;
    }
    if (fault) break;
    if (byte === CARRIAGE_RETURN) byte = bytes[++at]!;
    // Exactly the header's cells, and nothing after the last.
    if (byte !== NEWLINE || column !== width) {
      fault = { line: lines, column: null, text: bytes.toString("latin1", start, lineEnd(bytes, start)) };
    }
    at++;
    rows++;
  }
  return { rows, lines, fault };
}

/** Where the line's text ends, which a carriage return may be after. */
function lineEnd(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline > at && bytes[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
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
