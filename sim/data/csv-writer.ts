import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { isoTime } from "../../shared/time.ts";
import type { DataRow, RowSink } from "./data-row.ts";

/**
 * Numeric columns in file order, the decimals that their sensors would resolve, and how to read them: a property named
 * by a variable costs several times as much as one that the code names.
 */
const NUMERIC_COLUMNS: readonly [name: string, decimals: number, read: (row: DataRow) => number][] = [
  ["inlet_c", 2, (row) => row.inlet_c],
  ["outlet_c", 2, (row) => row.outlet_c],
  ["pdu_kw", 3, (row) => row.pdu_kw],
  ["gpu_energy_j", 0, (row) => row.gpu_energy_j],
  ["tokens_ps", 1, (row) => row.tokens_ps],
  ["latency_p95_ms", 1, (row) => row.latency_p95_ms],
  ["queue_depth", 0, (row) => row.queue_depth],
  ["fan_rpm_pct", 1, (row) => row.fan_rpm_pct],
  ["pump_rpm_pct", 1, (row) => row.pump_rpm_pct],
  ["delta_t", 2, (row) => row.delta_t],
  ["gpu_power_kw", 4, (row) => row.gpu_power_kw],
];
const LABEL_COLUMNS = ["regime", "fault"] as const;

const BUFFER_BYTES = 1 << 20;
const ROW_BYTES_MAX = 512;
const COMMA = 44;
const NEWLINE = 10;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;

export interface CsvWriter {
  write: RowSink;
  /** Flushes and closes; returns the number of rows and bytes written. */
  close(): { rows: number; bytes: number };
}

/**
 * Streams rows to a CSV file. Digits go straight into a byte buffer: general CSV writers build a string per cell,
 * which `npm run bench -- generate` shows to be the bottleneck of data generation.
 */
export function csvWriter(path: string, options: { labels: boolean }): CsvWriter {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "w");
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  const rack_bytes = new Map<string, Buffer>();
  let at = 0;
  let rows = 0;
  let bytes = 0;
  let ts_ms = Number.NaN;
  let ts_bytes = Buffer.alloc(0);

  const flush = () => {
    bytes += at;
    for (let done = 0; done < at; ) done += writeSync(fd, buffer, done, at - done);
    at = 0;
  };
  const rackBytes = (rack_id: string) => {
    const known = rack_bytes.get(rack_id);
    if (known) return known;
    const encoded = Buffer.from(`${rack_id},`, "latin1");
    rack_bytes.set(rack_id, encoded);
    return encoded;
  };

  const columns = ["ts", "rack_id", ...NUMERIC_COLUMNS.map(([name]) => name)];
  at = buffer.write(`${[...columns, ...(options.labels ? LABEL_COLUMNS : [])].join(",")}\n`, "latin1");
  return {
    write(row: DataRow) {
      if (at > BUFFER_BYTES - ROW_BYTES_MAX) flush();
      if (row.ts_ms !== ts_ms) {
        ts_ms = row.ts_ms;
        ts_bytes = Buffer.from(`${isoTime(ts_ms)},`, "latin1");
      }
      const rack = rackBytes(row.rack_id);
      // A local position: one that closures share is read from and written to memory for every byte.
      let position = copy(ts_bytes, buffer, at);
      position = copy(rack, buffer, position);
      for (let c = 0; c < NUMERIC_COLUMNS.length; c++) {
        if (c > 0) buffer[position++] = COMMA;
        const column = NUMERIC_COLUMNS[c]!;
        position = writeFixed(buffer, position, column[2](row), column[1]);
      }
      if (options.labels) position += buffer.write(`,${row.regime},${row.fault}`, position, "latin1");
      buffer[position++] = NEWLINE;
      at = position;
      rows++;
    },
    close() {
      flush();
      closeSync(fd);
      return { rows, bytes };
    },
  };
}

const POWERS = [1, 10, 100, 1_000, 10_000] as const;
const INT32_MAX = 0x7fffffff;

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
