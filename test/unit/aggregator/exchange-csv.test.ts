import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { csvLine, readCsvRows } from "../../../aggregator/exchange/csv.ts";
import { COLUMNS, type ExportRow, fromRow, NEEDED_COLUMNS } from "../../../aggregator/exchange/row.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const row = (cells: Partial<ExportRow>): ExportRow => ({
  ...(Object.fromEntries(COLUMNS.map((column) => [column, null])) as ExportRow),
  ...cells,
});

describe("a line of an export", () => {
  it("has ids, words and numbers as they are, negative ones too", () => {
    const line = csvLine(
      row({ rack_id: "R-A-01", inlet_c: -4.5, quality: "inlet_c=suspect", model_id: "ims-1" }),
    );
    expect(line).toMatch(/^,R-A-01,,,-4\.5,,.*,inlet_c=suspect,.*,ims-1\n$/);
  });

  it.each([
    ["a,b", '"a,b"'],
    ['a "b"', '"a ""b"""'],
    ["a\n2026-12-01T00:00:00.000Z,R-A-02", '"a\n2026-12-01T00:00:00.000Z,R-A-02"'],
    ["a\rb", '"a\rb"'],
    ["=1+1", "'=1+1"],
    ["@a", "'@a"],
  ])("neither ends in %j nor makes a formula of it", (model_id, cell) => {
    expect(csvLine(row({ model_id }))).toBe(`${",".repeat(COLUMNS.length - 1)}${cell}\n`);
  });
});

describe("a file that is imported", () => {
  const COLUMNS_THERE = ["seq", ...NEEDED_COLUMNS, "quality"];
  const rowsOf = async (separator: string, inlet_c: string) => {
    const file = join(temporaryFolder(), "telemetry.csv");
    const cells = COLUMNS_THERE.map((name) =>
      name === "inlet_c" ? inlet_c : name === "quality" ? "pdu_kw=stale" : name === "ts" ? "then" : "7",
    );
    writeFileSync(file, `${COLUMNS_THERE.join(separator)}\n${cells.join(separator)}\n`);
    const rows: unknown[] = [];
    await readCsvRows(
      file,
      (cells) => rows.push(fromRow(cells)),
      async () => {},
    );
    return rows;
  };

  it.each([",", ";", "\t", "|"])("keeps its optional columns, separated by %j", async (separator) => {
    expect(await rowsOf(separator, "22")).toMatchObject([
      { ts: "then", seq: 7, inlet_c: 22, quality: { pdu_kw: "stale" } },
    ]);
  });

  it.each(["", " ", "  "])("has no reading where a cell is blank (%j)", async (blank) => {
    expect(await rowsOf(",", blank)).toMatchObject([{ inlet_c: null, pdu_kw: 7 }]);
  });
});
