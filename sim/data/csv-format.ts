import { writeSync } from "node:fs";
import { isoTime } from "../../shared/time.ts";
import type { DataRow } from "./data-row.ts";

/** Numeric columns in file order, and the decimals that their sensors would resolve. */
const NUMERIC_COLUMNS: readonly [name: string, decimals: number][] = [
  ["inlet_c", 2],
  ["outlet_c", 2],
  ["pdu_kw", 3],
  ["gpu_energy_j", 0],
  ["tokens_ps", 1],
  ["latency_p95_ms", 1],
  ["queue_depth", 0],
  ["fan_rpm_pct", 1],
  ["pump_rpm_pct", 1],
  ["delta_t", 2],
  ["gpu_power_kw", 4],
];
const DECIMALS = Uint8Array.from(NUMERIC_COLUMNS, ([, decimals]) => decimals);
const LABEL_COLUMNS = ["regime", "fault"] as const;

/** A packed row: the instant, the places of rack, regime and fault in a list of names, and the numeric columns. */
export const PACKED_ROW = 4 + NUMERIC_COLUMNS.length;

const ROW_BYTES_MAX = 512;
const COMMA = 44;
const NEWLINE = 10;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;

export function headerLine(labels: boolean): string {
  const columns = ["ts", "rack_id", ...NUMERIC_COLUMNS.map(([name]) => name)];
  return `${[...columns, ...(labels ? LABEL_COLUMNS : [])].join(",")}\n`;
}

/** Packs a row; each column is named, since a property named by a variable costs several times as much to read. */
export function packRow(
  row: DataRow,
  labels: boolean,
  place: (name: string) => number,
  out: Float64Array,
  at: number,
): void {
  out[at] = row.ts_ms;
  out[at + 1] = place(row.rack_id);
  out[at + 2] = labels ? place(row.regime) : 0;
  out[at + 3] = labels ? place(row.fault) : 0;
  out[at + 4] = row.inlet_c;
  out[at + 5] = row.outlet_c;
  out[at + 6] = row.pdu_kw;
  out[at + 7] = row.gpu_energy_j;
  out[at + 8] = row.tokens_ps;
  out[at + 9] = row.latency_p95_ms;
  out[at + 10] = row.queue_depth;
  out[at + 11] = row.fan_rpm_pct;
  out[at + 12] = row.pump_rpm_pct;
  out[at + 13] = row.delta_t;
  out[at + 14] = row.gpu_power_kw;
}

/**
 * Makes CSV lines of packed rows. Digits go straight into a byte buffer: general CSV writers build a string per cell,
 * which `npm run bench -- generate` shows to be the bottleneck of data generation.
 *
 * @returns a function that gets packed rows and the names that are the first in use since its last call; its result
 *   is valid until the next one
 */
export function rowFormatter(rows_max: number, labels: boolean) {
  const buffer = Buffer.allocUnsafe(rows_max * ROW_BYTES_MAX);
  let ts_ms = Number.NaN;
  let ts_bytes = Buffer.alloc(0);
  const names: Buffer[] = [];
  return (packed: Float64Array, names_added: readonly string[]): Buffer => {
    for (const name of names_added) names.push(Buffer.from(name, "latin1"));
    let position = 0;
    for (let at = 0; at < packed.length; at += PACKED_ROW) {
      if (packed[at] !== ts_ms) {
        ts_ms = packed[at]!;
        ts_bytes = Buffer.from(isoTime(ts_ms), "latin1");
      }
      position = copy(ts_bytes, buffer, position);
      buffer[position++] = COMMA;
      position = copy(names[packed[at + 1]!]!, buffer, position);
      for (let c = 0; c < DECIMALS.length; c++) {
        buffer[position++] = COMMA;
        position = writeFixed(buffer, position, packed[at + 4 + c]!, DECIMALS[c]!);
      }
      if (labels) {
        buffer[position++] = COMMA;
        position = copy(names[packed[at + 2]!]!, buffer, position);
        buffer[position++] = COMMA;
        position = copy(names[packed[at + 3]!]!, buffer, position);
      }
      buffer[position++] = NEWLINE;
    }
    return buffer.subarray(0, position);
  };
}

const POWERS = [1, 10, 100, 1_000, 10_000] as const;
const INT32_MAX = 0x7fffffff;

/** Writes all of the bytes at the end of a file. */
export function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/** A few bytes: a call into the runtime would cost more than the loop. */
function copy(from: Buffer, to: Buffer, at: number): number {
  for (let i = 0; i < from.length; i++) to[at + i] = from[i]!;
  return at + from.length;
}

/** Writes a number with a fixed number of decimals, or nothing for NaN: a missing value is an empty cell. */
function writeFixed(buffer: Buffer, at: number, value: number, decimals: number): number {
  if (Number.isNaN(value)) return at;
  const scaled = Math.round(value * POWERS[decimals]!);
  const magnitude = Math.abs(scaled);
  if (magnitude > INT32_MAX) return at + buffer.write(value.toFixed(decimals), at, "latin1");
  if (scaled >= 0) return writeDigits(buffer, at, magnitude | 0, decimals);
  buffer[at] = MINUS;
  return writeDigits(buffer, at + 1, magnitude | 0, decimals);
}

/** Writes a 32-bit integer with a decimal point `decimals` digits before its end; returns the position after it. */
function writeDigits(buffer: Buffer, at: number, magnitude: number, decimals: number): number {
  let digits = decimals + 1;
  for (let bound = POWERS[decimals]! * 10; magnitude >= bound; bound *= 10) digits++;
  const end = at + digits + (decimals > 0 ? 1 : 0);
  let position = end;
  let rest = magnitude;
  for (let i = 0; i < digits; i++) {
    if (i === decimals && decimals > 0) buffer[--position] = DOT;
    const tenth = (rest / 10) | 0;
    buffer[--position] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}
