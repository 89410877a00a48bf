import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { durationOption, instantOption } from "../../../aggregator/cli/moments.ts";
import { nearest, nearestId, resolve } from "../../../aggregator/cli/nearest.ts";
import { wrapped } from "../../../aggregator/cli/output.ts";
import { type Column, cut, table } from "../../../aggregator/cli/table.ts";
import { plain, span } from "../../../aggregator/cli/text.ts";

interface Row {
  id: string;
  kw: number;
  why: string;
}

const COLUMNS: Column<Row>[] = [
  { head: "ID", text: ({ id }) => id },
  { head: "KW", text: ({ kw }) => kw.toFixed(1), align: "right", drop: 1 },
  { head: "WHY", text: ({ why }) => why, min: 8 },
];
const ROWS: Row[] = [
  { id: "R-A-01", kw: 8.25, why: "inlet 52 %, outlet 20 %" },
  { id: "R-A-02", kw: 11.5, why: "fan" },
];

describe("a table", () => {
  it("is as wide as what is in it where nothing limits it", () => {
    expect(table(COLUMNS, ROWS, Number.POSITIVE_INFINITY)).toEqual([
      "ID        KW  WHY",
      "R-A-01   8.3  inlet 52 %, outlet 20 %",
      "R-A-02  11.5  fan",
    ]);
  });

  it("cuts the columns that may be cut, then leaves out those that may be", () => {
    expect(table(COLUMNS, ROWS, 30)[1]).toBe("R-A-01   8.3  inlet 52 %, out…");
    expect(table(COLUMNS, ROWS, 20)[1]).toBe("R-A-01  inlet 52 %,…");
  });

  it("never is wider than the terminal, whatever is in it", () => {
    const row = fc.record({
      id: fc.string({ unit: "grapheme", maxLength: 6 }),
      kw: fc.float(),
      why: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), fc.integer({ min: 24, max: 120 }), (rows, width) => {
        const columns = COLUMNS.map((column) =>
          column.head === "KW" ? { ...column, text: () => "1.0" } : column,
        );
        for (const line of table(columns, rows, width)) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("colours cells without moving them", () => {
    const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
    const painted = COLUMNS.map((column) => ({ ...column, paint: red }));
    const bare = (line: string) => plain(line).trimEnd();
    for (const width of [20, 30, 80]) {
      expect(table(painted, ROWS, width).map(bare)).toEqual(table(COLUMNS, ROWS, width).map(bare));
    }
  });
});

describe("text of others", () => {
  it("cannot control the terminal", () => {
    expect(plain("fan \u001b[2J\u001b]0;title\u0007swapped\r\n\u009b31mred")).not.toMatch(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      /[\u0000-\u001f\u007f-\u009f]/,
    );
    expect(table([{ head: "ID", text: () => "a\nb\u001b[31mc" }], [0], 80)).toEqual(["ID", "a bc"]);
  });

  it("is cut by what it takes on the screen", () => {
    expect(cut("温度が高い", 7)).toBe("温度が…");
    expect(cut("warm", 4)).toBe("warm");
  });
});

describe("prose", () => {
  it("is broken between words where the terminal is too narrow, and indented as it began", () => {
    const line = "  Why  fan −3 %: power falls with the cube of its speed";
    expect(wrapped(line, 30).split("\n")).toEqual([
      "  Why  fan −3 %: power falls",
      "    with the cube of its speed",
    ]);
    expect(wrapped(line, Number.POSITIVE_INFINITY)).toBe(line);
  });
});

describe("an id that was typed", () => {
  const ids = ["20261124T130537-5043fc85", "20261124T130537-3871638d"];

  it("may be what is unmistakable of it", () => {
    const whole = (id: string) => id;
    expect(resolve("3871638d", ids, whole)).toBe(ids[1]);
    expect(resolve(ids[0]!, ids, whole)).toBe(ids[0]);
    expect(resolve("20261124", ids, whole)).toBeNull();
    expect(resolve("d", ids, whole)).toBeNull();
  });

  it("may be what a list shows; what two ids look like is neither, and both are named", () => {
    const first = (id: string) => id.slice(0, 2);
    expect(resolve("ab", ["abcd", "efgh"], first)).toBe("abcd");
    expect(resolve("ab", ["abcd", "abef"], first)).toBeNull();
    expect(nearestId("ab", ["abcd", "abef"], first)).toEqual(["abcd", "abef"]);
  });

  it("brings to mind those that look like it", () => {
    expect(nearest("3871683d", ["5043fc85", "3871638d"])).toEqual(["3871638d"]);
    expect(nearest("r-c-7", ["R-C-07", "R-C-17", "R-A-01"])).toEqual(["R-C-07", "R-C-17"]);
    expect(nearest("something", ["R-C-07"])).toEqual([]);
  });
});

describe("times", () => {
  it("are durations with a unit", () => {
    expect(["90s", "1.5h", "2d"].map(durationOption)).toEqual([90_000, 5_400_000, 172_800_000]);
    expect(() => durationOption("5 minutes")).toThrow(/30m/);
  });

  it("are instants", () => {
    expect(instantOption("2026-01-31T12:00:00Z")).toBe(Date.UTC(2026, 0, 31, 12));
    expect(() => instantOption("tomorrow")).toThrow(/ISO 8601/);
  });

  it("are said in the unit that tells most", () => {
    expect([9_000, 150_000, 7_200_000, 4 * 86_400_000].map(span)).toEqual(["9 s", "3 min", "2 h", "4 d"]);
  });
});
