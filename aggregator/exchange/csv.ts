import { open } from "node:fs/promises";
import { badData } from "../../shared/bad-data.ts";
import { readCsv } from "../../shared/csv.ts";
import {
  type Cell,
  COLUMNS,
  type ExportRow,
  type ImportColumn,
  NEEDED_COLUMNS,
  USED_COLUMNS,
} from "./row.ts";

export const CSV_HEADER = `${COLUMNS.join(",")}\n`;

/** No cell holds a comma, a quote or a line break: ids, words, numbers and instants. */
export function csvLine(row: ExportRow): string {
  return `${COLUMNS.map((column) => row[column] ?? "").join(",")}\n`;
}

const TEXT: ReadonlySet<ImportColumn> = new Set(["ts", "rack_id", "quality"]);

/**
 * Hands over the rows of a CSV file with a header, in the order of the file.
 *
 * @param handle of the row's cells by column, and where it stands
 * @throws SkadiError SKADI_BAD_DATA
 */
export async function readCsvRows(
  path: string,
  handle: (row: Partial<Record<ImportColumn, Cell>>, where: string) => void,
  afterChunk: () => Promise<void>,
): Promise<void> {
  const header = await firstLine(path);
  const columns = [...NEEDED_COLUMNS, ...USED_COLUMNS.filter((name) => header.includes(name))];
  const onRow = (cells: readonly string[], line: number) => {
    const row: Partial<Record<ImportColumn, Cell>> = {};
    for (const [i, column] of columns.entries()) {
      const text = cells[i]!;
      row[column] = text === "" ? null : TEXT.has(column) ? text : Number(text);
    }
    handle(row, `line ${line}`);
  };
  await readCsv(path, columns, onRow, afterChunk);
}

async function firstLine(path: string): Promise<string[]> {
  try {
    await using file = await open(path);
    for await (const line of file.readLines())
      return line.split(/[,;\t]/).map((name) => name.replaceAll('"', ""));
    return [];
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw badData(path, null, undefined, `a readable file (${code})`);
  }
}
