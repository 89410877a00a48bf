import { createReadStream } from "node:fs";
import { inferSchema, initParser, type Parser } from "udsv";
import { badData } from "./bad-data.ts";

/** Receives the wanted columns of one row, in the order asked for, and the row's line number (the header is 1). */
export type RowHandler = (cells: readonly string[], line: number) => void;

/**
 * Streams a CSV file with a header row and hands over the wanted columns of each row: those that must be there, then
 * those of `optional` that are. Separated by commas, semicolons, tabs or bars.
 * Memory stays constant in the file's size.
 *
 * @param afterChunk awaited after each chunk of the file, for a consumer that must not be overrun
 * @param onColumns told the names of the columns that will be handed over, before the first row
 * @returns the number of rows
 * @throws SkadiError SKADI_BAD_DATA for an unreadable file, a missing column or a row of the wrong length
 */
export async function readCsv(
  path: string,
  columns: readonly string[],
  handle: RowHandler,
  afterChunk?: () => Promise<void>,
  { optional = [], onColumns }: { optional?: readonly string[]; onColumns?: (names: string[]) => void } = {},
): Promise<number> {
  const stream = createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 20 });
  let parser: Parser | undefined;
  let positions: number[] = [];
  let width = 0;
  let separator = ",";
  let rows = 0;
  const cells: string[] = [];
  const onRow = (row: string[]) => {
    rows++;
    if (row.length !== width || isRagged(row, separator)) {
      throw badData(path, `line ${rows + 1}`, row.join(separator), `${width} cells as in the header`);
    }
    for (let i = 0; i < positions.length; i++) cells[i] = row[positions[i]!]!;
    handle(cells, rows + 1);
  };
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      if (!parser) {
        // The parser infers the form of the file from a whole line.
        if (!/[\r\n]/.test(chunk)) throw badData(path, null, "one line", "a header row, and rows below it");
        const schema = inferSchema(chunk);
        const header = schema.cols.map((c) => c.name);
        const names = [...columns, ...optional.filter((name) => header.includes(name))];
        positions = columnPositions(path, header, names);
        onColumns?.(names);
        width = schema.cols.length;
        separator = schema.col;
        parser = initParser(schema);
      }
      parser.chunk<string[]>(chunk, parser.stringArrs, onRow);
      await afterChunk?.();
    }
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      typeof error.code === "string" &&
      error.code.startsWith("E")
    ) {
      throw badData(path, null, undefined, `a readable file (${error.code})`);
    }
    throw error;
  }
  if (!parser) throw badData(path, null, "an empty file", "a header row");
  parser.end();
  await afterChunk?.();
  return rows;
}

/**
 * The parser counts separators, not lines: a row that is too short swallows its successor's first cell, one that is
 * too long ends in a cell with separators in it. Both would go unnoticed and shift the data.
 */
function isRagged(row: readonly string[], separator: string): boolean {
  for (const cell of row) if (cell.includes("\n")) return true;
  return row.at(-1)?.includes(separator) ?? true;
}

/** A cell as a number: NaN where it is empty or blank; an error naming line and column where it is not a number. */
export function numericCell(path: string, text: string, column: string, line: number): number {
  if (text.trim() === "") return Number.NaN;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw badData(path, `line ${line}, column ${column}`, text, "a finite number");
}

function columnPositions(path: string, header: readonly string[], wanted: readonly string[]): number[] {
  const missing = wanted.filter((name) => !header.includes(name));
  if (missing.length > 0)
    throw badData(path, missing.join(", "), header.join(","), "these columns in the header");
  return wanted.map((name) => header.indexOf(name));
}
