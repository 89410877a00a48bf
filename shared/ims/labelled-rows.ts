import { createReadStream } from "node:fs";
import { numericCell, readCsv } from "../csv.ts";
import { skadiError } from "../errors.ts";
import { FEATURES } from "./features.ts";
import { type RowBuffer, rowBuffer } from "./rows.ts";

const F = FEATURES.length;

/**
 * Columns that can say what is anomalous: `fault` and `regime` as skadi-sim writes them, `anomaly` (0 or 1) as
 * benchmark files have it.
 */
const LABEL_COLUMNS = ["fault", "anomaly", "regime"] as const;
type LabelColumn = (typeof LABEL_COLUMNS)[number];
export const LABEL_CHOICES = [...LABEL_COLUMNS, "auto", "none"] as const;
export type LabelChoice = (typeof LABEL_CHOICES)[number];

/** Regimes that are no way to run a rack; load being high or low is one. */
const ANOMALOUS_REGIMES: readonly string[] = ["thermal_event", "overcooled"];

export interface LabelledRack {
  rack_id: string;
  ts_ms: Float64Array;
  /** n × FEATURES.length, row-major; NaN where a cell is empty. */
  x: Float64Array;
  /** What the label column says of each row; "" where the row is normal. */
  labels: string[];
}

export interface LabelledRows {
  racks: LabelledRack[];
  rows: number;
  /** Where the labels are from; null: there are none. */
  label_column: LabelColumn | null;
}

interface Growing {
  ts_ms: number[];
  rows: RowBuffer;
  labels: string[];
}

/**
 * Reads telemetry rack by rack, in the order of time. A file without `rack_id` is one rack's.
 *
 * @throws SkadiError SKADI_BAD_DATA for missing columns, cells that are not what they should be, and time running back
 */
export async function readLabelledRows(path: string, choice: LabelChoice): Promise<LabelledRows> {
  const header = await readHeader(path);
  const label_column = labelColumn(path, header, choice);
  const has_racks = header.includes("rack_id");
  const columns = [
    "ts",
    ...FEATURES,
    ...(has_racks ? ["rack_id"] : []),
    ...(label_column ? [label_column] : []),
  ];
  const racks = new Map<string, Growing>();
  const row = new Float64Array(F);
  const rows = await readCsv(path, columns, (cells, line) => {
    const rack_id = has_racks ? cells[1 + F]! : "all";
    let rack = racks.get(rack_id);
    if (!rack) {
      rack = { ts_ms: [], rows: rowBuffer(FEATURES.length, 1_024), labels: [] };
      racks.set(rack_id, rack);
    }
    rack.ts_ms.push(timeCell(path, cells[0]!, rack.ts_ms.at(-1), line));
    for (let j = 0; j < F; j++) row[j] = numericCell(path, cells[1 + j]!, FEATURES[j]!, line);
    rack.rows.push(row);
    if (label_column) rack.labels.push(labelCell(path, cells.at(-1)!, label_column, line));
  });
  const finished = [...racks].map(([rack_id, rack]) => ({
    rack_id,
    ts_ms: Float64Array.from(rack.ts_ms),
    x: rack.rows.matrix(),
    labels: rack.labels,
  }));
  return { racks: finished, rows, label_column };
}

async function readHeader(path: string): Promise<string[]> {
  let text = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8" }) as AsyncIterable<string>) {
      text += chunk;
      if (text.includes("\n")) break;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_BAD_DATA", { field: path, expected: `a readable file (${reason})` });
  }
  return (text.split(/\r?\n/)[0] ?? "").split(/[,;\t]/).map((name) => name.trim());
}

function labelColumn(path: string, header: readonly string[], choice: LabelChoice): LabelColumn | null {
  if (choice === "none") return null;
  if (choice === "auto") return LABEL_COLUMNS.find((name) => header.includes(name)) ?? null;
  if (header.includes(choice)) return choice;
  const expected = `a column ${choice} in the header`;
  throw skadiError("SKADI_BAD_DATA", { field: path, value: header.join(","), expected });
}

function timeCell(path: string, text: string, before_ms: number | undefined, line: number): number {
  const ms = Date.parse(text);
  const field = `${path}: line ${line}, column ts`;
  if (Number.isNaN(ms))
    throw skadiError("SKADI_BAD_DATA", { field, value: text, expected: "an ISO 8601 instant" });
  if (before_ms === undefined || ms >= before_ms) return ms;
  throw skadiError("SKADI_BAD_DATA", {
    field,
    value: text,
    expected: "the rows of a rack in the order of time",
  });
}

function labelCell(path: string, text: string, column: LabelColumn, line: number): string {
  switch (column) {
    case "fault":
      return text === "none" ? "" : text;
    case "regime":
      return ANOMALOUS_REGIMES.includes(text) ? text : "";
    case "anomaly": {
      const value = numericCell(path, text, column, line);
      if (value === 0 || value === 1) return value === 1 ? "anomaly" : "";
      const field = `${path}: line ${line}, column anomaly`;
      throw skadiError("SKADI_BAD_DATA", { field, value: text, expected: "0 or 1" });
    }
  }
}
