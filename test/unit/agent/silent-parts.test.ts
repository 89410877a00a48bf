import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Part, silentParts } from "../../../agent/sensors/silent-parts.ts";

/** One read a second, of parts that all spoke just now, but for the changes to single parts. */
function reads() {
  const complete = silentParts();
  let now_ms = 0;
  return (values: readonly (number | null)[], changes: Record<number, Partial<Part>> = {}) => {
    now_ms += 1_000;
    return complete(values.map((value, i) => ({ value, at_ms: now_ms, suspect: false, ...changes[i] })));
  };
}

describe("a part that falls silent", () => {
  it("is taken to have moved as the others did, on average, since it spoke", () => {
    const read = reads();
    expect(read([29, 23, 22])).toEqual({ values: [29, 23, 22], doubt: undefined });
    expect(read([null, 23, 22])).toEqual({ values: [29, 23, 22], doubt: "stale" });
    expect(read([null, 25, 23])).toEqual({ values: [30.5, 25, 23], doubt: "stale" });
    expect(read([null, 21, 22])).toEqual({ values: [28, 21, 22], doubt: "stale" });
  });

  it("is believed at once when it speaks again", () => {
    const read = reads();
    read([29, 23]);
    read([null, 23]);
    expect(read([24, 23])).toEqual({ values: [24, 23], doubt: undefined });
  });

  it("and never spoke while others do leaves their values, suspect", () => {
    const read = reads();
    expect(read([null, 23])).toEqual({ values: [null, 23], doubt: "suspect" });
    expect(read([22, 23])).toEqual({ values: [22, 23], doubt: undefined });
  });

  it("makes the whole suspect where another never spoke", () => {
    const read = reads();
    read([29, 23, null]);
    expect(read([null, 24, null])).toEqual({ values: [30, 24, null], doubt: "suspect" });
  });

  it("does not jump when one that it was estimated from falls silent too", () => {
    const read = reads();
    read([29, 23, 22]);
    read([null, 28, 23]);
    expect(read([null, null, 23])).toEqual({ values: [32, 28, 23], doubt: "stale" });
    expect(read([null, null, 24])).toEqual({ values: [33, 29, 24], doubt: "stale" });
  });

  it("stays where it was while nobody speaks who spoke when it did", () => {
    const read = reads();
    read([29, null]);
    read([null, 20]);
    expect(read([null, 26])).toEqual({ values: [29, 26], doubt: "stale" });
  });

  it("is estimated from the time of its last word, however long that was held on to", () => {
    const read = reads();
    read([29, 23], { 0: { at_ms: 500 } });
    read([29, 25], { 0: { at_ms: 500.1 } });
    expect(read([null, 26]).values).toEqual([32, 26]);
  });

  it("is estimated neither from its own doubtful words nor from those of others", () => {
    const read = reads();
    read([29, 23, 22]);
    read([4, 23, 22], { 0: { suspect: true } });
    expect(read([null, 90, 23], { 1: { suspect: true } }).values).toEqual([30, 90, 23]);
  });
});

describe("all parts silent", () => {
  it("are as they came, and what they said before is not forgotten", () => {
    const read = reads();
    read([29, 23]);
    expect(read([null, null])).toEqual({ values: [null, null], doubt: undefined });
    expect(read([null])).toEqual({ values: [null], doubt: undefined });
    expect(read([])).toEqual({ values: [], doubt: undefined });
    expect(read([null, 24])).toEqual({ values: [30, 24], doubt: "stale" });
  });
});

describe("parts whose number changes", () => {
  it("are not taken for one another: with fewer than ever spoke at once, one is missing", () => {
    const read = reads();
    read([29, 23]);
    expect(read([23])).toEqual({ values: [23], doubt: "suspect" });
    expect(read([29, 23])).toEqual({ values: [29, 23], doubt: undefined });
  });

  it("forget what was said at places that may be others' now", () => {
    const read = reads();
    read([29, 23]);
    expect(read([null, 23, 22])).toEqual({ values: [null, 23, 22], doubt: "suspect" });
    expect(read([29, 23, 22])).toEqual({ values: [29, 23, 22], doubt: undefined });
    expect(read([null, 23, 22])).toEqual({ values: [29, 23, 22], doubt: "stale" });
  });

  it("may grow without doubt", () => {
    const read = reads();
    read([23]);
    expect(read([23, 24])).toEqual({ values: [23, 24], doubt: undefined });
  });
});

describe("whatever parts do", () => {
  const value = fc.option(fc.double({ min: -40, max: 120, noNaN: true }), { nil: null });

  it("what is said is passed on, and a silence is never called good while somebody speaks", () => {
    const rows = fc.array(fc.array(value, { maxLength: 4 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(rows, (history) => {
        const read = reads();
        for (const row of history) {
          const { values, doubt } = read(row);
          for (const [i, said] of row.entries()) if (said !== null) expect(values[i]).toBe(said);
          const silent = row.filter((said) => said === null).length;
          if (silent > 0 && silent < row.length) expect(doubt).toBeDefined();
        }
      }),
    );
  });

  it("losing one of them while the others stand still changes no temperature", () => {
    // Adding 0 makes 0 of −0.
    const celsius = fc.double({ min: -40, max: 120, noNaN: true }).map((said): number | null => said + 0);
    const row = fc.array(celsius, { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(row, fc.nat(), (row, lost) => {
        const read = reads();
        read(row);
        expect(read(row.with(lost % row.length, null)).values).toEqual(row);
      }),
    );
  });
});
