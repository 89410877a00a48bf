import type { SchemaElement } from "hyparquet";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import { badData } from "../../shared/bad-data.ts";
import { packageVersion } from "../../shared/version.ts";
import {
  type Cell,
  COLUMNS,
  type Column,
  type ExportRow,
  type ImportColumn,
  NEEDED_COLUMNS,
  USED_COLUMNS,
} from "./row.ts";

/** Enough for good compression, few enough for a small memory. */
const ROWS_PER_GROUP = 20_000;

const REQUIRED: ReadonlySet<Column> = new Set(["ts", "rack_id", "seq", "interval_s"]);
const TEXT: ReadonlySet<Column> = new Set(["rack_id", "quality", "level", "mms_state", "model_id"]);

function element(name: Column): SchemaElement {
  const repetition_type = REQUIRED.has(name) ? "REQUIRED" : "OPTIONAL";
  if (name === "ts") return { name, repetition_type, type: "INT64", converted_type: "TIMESTAMP_MILLIS" };
  if (name === "seq") return { name, repetition_type, type: "INT64" };
  if (TEXT.has(name)) return { name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8" };
  return { name, repetition_type, type: "DOUBLE" };
}

const SCHEMA: SchemaElement[] = [{ name: "root", num_children: COLUMNS.length }, ...COLUMNS.map(element)];

export interface ParquetFile {
  add(row: ExportRow): void;
  /** The file is complete only after this. */
  finish(): void;
}

/** Writes a Parquet file (Snappy), row group by row group. */
export function writeParquet(path: string): ParquetFile {
  const created_by = `skadi ${packageVersion()}`;
  const writer = new ParquetWriter({ writer: fileWriter(path), schema: SCHEMA, createdBy: created_by });
  let rows: ExportRow[] = [];
  const writeGroup = () => {
    const columnData = COLUMNS.map((name) => ({
      name,
      data: rows.map((row) => parquetValue(name, row[name])),
    }));
    writer.write({ columnData, rowGroupSize: ROWS_PER_GROUP });
    rows = [];
  };
  return {
    add(row) {
      rows.push(row);
      if (rows.length === ROWS_PER_GROUP) writeGroup();
    },
    finish() {
      if (rows.length > 0) writeGroup();
      writer.finish();
    },
  };
}

function parquetValue(column: Column, cell: Cell): unknown {
  if (cell === null) return null;
  if (column === "ts") return new Date(cell);
  return column === "seq" ? BigInt(cell) : cell;
}

/**
 * Hands over the rows of a Parquet file, row group by row group.
 *
 * @throws SkadiError SKADI_BAD_DATA
 */
export async function readParquetRows(
  path: string,
  handle: (row: Partial<Record<ImportColumn, Cell>>, where: string) => void,
  afterGroup: () => Promise<void>,
): Promise<void> {
  const { file, metadata } = await opened(path);
  const present = parquetSchema(metadata).children.map(({ element: { name } }) => name);
  const missing = NEEDED_COLUMNS.filter((name) => !present.includes(name));
  if (missing.length > 0) throw badData(path, missing.join(", "), present.join(","), "these columns");
  const columns = [...NEEDED_COLUMNS, ...USED_COLUMNS.filter((name) => present.includes(name))];
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await readGroup(path, { file, metadata, columns, rowStart, rowEnd });
    for (const [i, row] of rows.entries()) {
      const cells = Object.fromEntries(columns.map((name) => [name, cellOf(row[name])]));
      handle(cells, `row ${rowStart + i + 1}`);
    }
    rowStart = rowEnd;
    await afterGroup();
  }
}

async function opened(path: string) {
  try {
    const file = await asyncBufferFromFile(path);
    return { file, metadata: await parquetMetadataAsync(file) };
  } catch (error) {
    throw badData(path, null, undefined, `a Parquet file (${reasonOf(error)})`);
  }
}

async function readGroup(path: string, group: Parameters<typeof parquetReadObjects>[0]) {
  try {
    return await parquetReadObjects(group);
  } catch (error) {
    const expected = `readable columns, uncompressed or Snappy (${reasonOf(error)})`;
    throw badData(path, `row ${(group.rowStart ?? 0) + 1}`, undefined, expected);
  }
}

/** Whatever the file's types are, as the schema of telemetry wants it; what has no such form is left to be refused. */
function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString();
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" ? value : String(value);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
