import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCsvNumbers } from "../../../shared/csv-numbers.ts";
import { temporaryFolder } from "../../support/temporary.ts";

async function read(text: string, columns: readonly string[] = ["a", "c"]): Promise<number[][]> {
  const path = join(temporaryFolder(), "data.csv");
  writeFileSync(path, text);
  const rows: number[][] = [];
  const count = await readCsvNumbers(path, columns, (values) => rows.push([...values]));
  expect(count).toBe(rows.length);
  return rows;
}

describe("reading numbers from CSV", () => {
  it("gives the wanted columns in the order asked for, whatever the separator and line ending", async () => {
    const expected = [
      [1, 3],
      [4, 6],
    ];
    expect(await read("a,b,c\n1,x,3\n4,y,6\n")).toEqual(expected);
    expect(await read("c;b;a\r\n3;x;1\r\n6;y;4")).toEqual(expected);
    expect(await read('"a","b","c"\n1,"x,""y""",3\n"4",z,6\n')).toEqual(expected);
  });

  it("gives every number exactly as JavaScript reads it", async () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value.toFixed(3)),
      fc.constantFrom(
        "0",
        "-0.5",
        ".5",
        "5.",
        "1e-3",
        "-1E+3",
        "123456789012345678",
        "0.1000000000000000055",
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 50 }), async (cells) => {
        const rows = await read(`a,b\n${cells.map((cell) => `${cell},x`).join("\n")}\n`, ["a"]);
        expect(rows.map(([value]) => value! + 0)).toEqual(cells.map((cell) => Number(cell) + 0));
      }),
      { numRuns: 40 },
    );
  });

  it("gives NaN for an empty cell and skips empty lines", async () => {
    expect(await read("a,b,c\n,x,3\n\n4,y,\n")).toEqual([
      [Number.NaN, 3],
      [4, Number.NaN],
    ]);
  });

  it("reads files, and lines, larger than one chunk", async () => {
    const lines = Array.from({ length: 600_000 }, (_, i) => `${i},text,${i * 2}`);
    const rows = await read(`a,b,c\n${lines.join("\n")}\n7,${"x".repeat(5_000_000)},8\n`);
    expect(rows).toHaveLength(600_001);
    expect(rows[599_999]).toEqual([599_999, 1_199_998]);
    expect(rows.at(-1)).toEqual([7, 8]);
  });

  it.each([
    ["an empty file", "", /header row/],
    ["a missing column", "a,b\n1,2\n", /field .*: c;.*a,b/],
    ["a row that is too short", "a,b,c\n1,2,3\n4,5\n7,8,9\n", /line 3;.*4,5.*3 cells as in the header/],
    ["a row that is too long", "a,b,c\n1,2,3\n4,5,6,7\n", /line 3;.*4,5,6,7.*3 cells/],
    ["a cell that is no number", "a,b,c\n1,2,3\n4,5,warm\n", /line 3, column c;.*warm.*finite number/],
    ["an infinite number", "a,b,c\nInfinity,2,3\n", /line 2, column a;.*Infinity/],
  ])("refuses %s, saying where", async (_what, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  it("refuses a file that is not there", async () => {
    await expect(readCsvNumbers("/nowhere.csv", ["a"], () => {})).rejects.toThrow(/nowhere.csv.*ENOENT/);
  });
});
