import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { numericCell, readCsv } from "../../../shared/csv.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { readFeatureRows } from "../../../shared/ims/rows.ts";
import { temporaryFolder } from "../../support/temporary.ts";

function csv(text: string): string {
  const path = join(temporaryFolder(), "data.csv");
  writeFileSync(path, text);
  return path;
}

describe("reading CSV", () => {
  it("hands over the wanted columns of each row, whatever their order in the file", async () => {
    const rows: string[][] = [];
    const count = await readCsv(csv("a,b,c\n1,2,3\n4,5,6\n"), ["c", "a"], (cells) => rows.push([...cells]));
    expect(count).toBe(2);
    expect(rows).toEqual([
      ["3", "1"],
      ["6", "4"],
    ]);
  });

  it("does not lose a last line without a line break", async () => {
    const rows: string[] = [];
    let chunks = 0;
    const afterChunk = async () => {
      chunks = rows.length;
    };
    await readCsv(csv("a,b\n1,2\n3,4"), ["a"], ([a]) => rows.push(a!), afterChunk);
    expect(rows).toEqual(["1", "3"]);
    expect(chunks).toBe(2);
  });

  it("reads files larger than one chunk", async () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i},${i * 2}`);
    let sum = 0;
    await readCsv(csv(`a,b\n${lines.join("\n")}\n`), ["b"], ([b]) => {
      sum += Number(b);
    });
    expect(sum).toBe(2 * ((199_999 * 200_000) / 2));
  });

  it.each([",", ";", "\t", "|"])(
    "hands over optional columns that are there, separated by %j",
    async (separator) => {
      const text = [
        ["c", "a", "b"],
        ["3", "1", "2"],
      ]
        .map((cells) => cells.join(separator))
        .join("\n");
      const rows: string[][] = [];
      let columns: string[] = [];
      const onColumns = (names: string[]) => {
        columns = names;
      };
      await readCsv(csv(text), ["a"], (cells) => rows.push([...cells]), undefined, {
        optional: ["c", "x"],
        onColumns,
      });
      expect([columns, rows]).toEqual([["a", "c"], [["1", "3"]]]);
    },
  );

  it.each(["", " ", "\t "])("takes a cell with nothing in it (%j) for a missing number", (text) => {
    expect(numericCell("data.csv", text, "a", 2)).toBeNaN();
    expect(numericCell("data.csv", " 1.5 ", "a", 2)).toBe(1.5);
    expect(() => numericCell("data.csv", "x", "a", 2)).toThrow(/line 2, column a.*finite number/);
  });

  it.each([
    ["an empty file", "", /header row/],
    ["a header without an end", "a,b,c", /header row, and rows below it/],
    ["a missing column", "a,b\n1,2\n", /field .*c.*a,b/],
    ["a row that is too short", "a,c\n1,2\n3\n5,6\n", /line 3.*2 cells as in the header/],
    ["a row that is too long", "a,c\n1,2\n3,4,5\n5,6\n", /line 3.*2 cells as in the header/],
  ])("refuses %s, saying where", async (_what, text, message) => {
    await expect(readCsv(csv(text), ["c"], () => {})).rejects.toThrow(message);
  });

  it("refuses a file that is not there", async () => {
    await expect(readCsv("/nowhere.csv", ["c"], () => {})).rejects.toThrow(/nowhere.csv.*readable file/);
  });
});

describe("feature rows", () => {
  const header = FEATURES.join(",");
  const row = FEATURES.map((_, j) => j + 0.5).join(",");

  it("come as one matrix, empty cells as NaN", async () => {
    const rows = await readFeatureRows(csv(`${header}\n${row}\n,${row.slice(row.indexOf(",") + 1)}\n`));
    expect(rows).toHaveLength(2 * FEATURES.length);
    expect([...rows.slice(0, 2)]).toEqual([0.5, 1.5]);
    expect(rows[FEATURES.length]).toBeNaN();
  });

  it("name the line and column of a cell that is no number", async () => {
    const path = csv(`${header}\n${row}\n${row.replace("2.5", "warm")}\n`);
    await expect(readFeatureRows(path)).rejects.toThrow(/line 3, column delta_t.*warm/);
  });
});
