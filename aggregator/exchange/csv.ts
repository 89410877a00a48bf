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

export function csvLine(row: ExportRow): string {
  return `${COLUMNS.map((column) => csvCell(row[column])).join(",")}\n`;
}

/**
 * Quoted where it must be (RFC 4180), and no formula to a spreadsheet. Ids and words need neither; what was stored may be
 * older than their contracts.
 */
function csvCell(cell: Cell): string {
  const text = typeof cell === "string" && /^[=+\-@]/.test(cell) ? `'${cell}` : String(cell ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
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
  let columns: ImportColumn[] = [];
  const onRow = (cells: readonly string[], line: number) => {
    const row: Partial<Record<ImportColumn, Cell>> = {};
    for (const [i, column] of columns.entries()) {
      const text = cells[i]!;
      row[column] = text.trim() === "" ? null : TEXT.has(column) ? text : Number(text);
    }
    handle(row, `line ${line}`);
  };
  await readCsv(path, NEEDED_COLUMNS, onRow, afterChunk, {
    optional: USED_COLUMNS,
    onColumns: (names) => {
      columns = names as ImportColumn[];
    },
  });
}
