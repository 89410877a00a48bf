import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ReadOptions, readCsvNumbers, startReading } from "../../../shared/csv-numbers/read.ts";
import { temporaryFolder } from "../../support/temporary.ts";

function csvFile(text: string): string {
  const path = join(temporaryFolder(), "data.csv");
  writeFileSync(path, text);
  return path;
}

async function read(
  text: string,
  columns: readonly string[] = ["a", "c"],
  options?: ReadOptions,
): Promise<number[][]> {
  const values = await readCsvNumbers(csvFile(text), columns, options);
  return Array.from({ length: values.length / columns.length }, (_, i) =>
    Array.from(values.subarray(i * columns.length, (i + 1) * columns.length)),
  );
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
    await expect(readCsvNumbers("/nowhere.csv", ["a"])).rejects.toThrow(/nowhere.csv.*ENOENT/);
    await expect(readCsvNumbers(temporaryFolder(), ["a"])).rejects.toThrow(/EISDIR/);
  });
});

describe("reading numbers from CSV in blocks", () => {
  const cell = fc.oneof(
    fc.integer({ min: -1e6, max: 1e6 }).map((value) => String(value / 100)),
    fc.constantFrom("", "1e3", '"7"', " 8 ", "0.12345678901234567", "warm"),
  );
  const row = fc.oneof(
    { weight: 20, arbitrary: fc.tuple(cell, cell, cell).map((cells) => cells.join(",")) },
    { weight: 1, arbitrary: fc.constantFrom("", "1,2", "1,2,3,4", `1,${"x".repeat(300)},3`) },
  );
  const file = fc.record({
    rows: fc.array(row, { maxLength: 40 }),
    line_break: fc.constantFrom("\n", "\r\n"),
    ends_in_break: fc.boolean(),
  });
  const textOf = ({
    rows,
    line_break,
    ends_in_break,
  }: {
    rows: string[];
    line_break: string;
    ends_in_break: boolean;
  }) => ["a,b,c", ...rows].join(line_break) + (ends_in_break ? line_break : "");
  /** What comes out: the rows, or the error's words without the file's name. */
  const outcome = async (text: string, options: ReadOptions) => {
    try {
      return await read(text, ["c", "a"], options);
    } catch (error) {
      return (error as Error).message.replace(/field .*?data\.csv/, "field data.csv");
    }
  };

  it("gives the same rows, or the same error, wherever the blocks begin", async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.integer({ min: 1, max: 400 }), async (parts, block_bytes) => {
        const text = textOf(parts);
        const whole = await outcome(text, { helped: false });
        expect(await outcome(text, { helped: false, block_bytes })).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same with a second thread", async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.integer({ min: 1, max: 400 }), async (parts, block_bytes) => {
        const text = textOf(parts);
        const whole = await outcome(text, { helped: false });
        expect(await outcome(text, { helped: true, block_bytes })).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  it("names the first of several bad lines, whichever thread found it", async () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i},text,${i % 1000 === 999 ? "warm" : i}`);
    const text = `a,b,c\n${lines.join("\n")}\n`;
    for (let run = 0; run < 5; run++) {
      await expect(read(text, ["a", "c"], { helped: true, block_bytes: 512 })).rejects.toThrow(
        /line 1001, column c;.*warm/,
      );
    }
  });

  it("can be given up before the rows are asked for", async () => {
    const reading = startReading(csvFile("a\n1\n2\n"), ["a"], { helped: true });
    await expect(reading.close()).resolves.toBeUndefined();
  });
});
