import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvFacts, startCsvFacts } from "../../../../aggregator/models/registry/csv-facts.ts";
import { isoTime } from "../../../../shared/time.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

const T0 = Date.UTC(2026, 0, 1);

function csv(text: string): string {
  const path = join(temporaryFolder(), "data.csv");
  writeFileSync(path, text);
  return path;
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

describe("what a CSV file is", () => {
  it("is its hash, its first and its last instant, in whatever order and shape the rows are", () => {
    const path = csv("");
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(",", ";", "\t"),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.boolean(),
        (offsets_ms, separator, line_end, quoted, ended) => {
          const cell = (ms: number) => (quoted ? `"${isoTime(T0 + ms)}"` : isoTime(T0 + ms));
          const rows = offsets_ms.map((ms, i) => ["R-A-01", cell(ms), String(i)].join(separator));
          const header = ["rack_id", "ts", "inlet_c"].join(separator);
          const text = [header, ...rows].join(line_end) + (ended ? line_end : "");
          writeFileSync(path, text);
          expect(csvFacts(path)).toEqual({
            sha256: hashOf(text),
            from: isoTime(T0 + Math.min(...offsets_ms)),
            to: isoTime(T0 + Math.max(...offsets_ms)),
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is no span of time without a column ts, without rows, or where its cells are no instants", () => {
    for (const text of ["inlet_c\n21\n22\n", "ts,inlet_c\n", "ts,inlet_c\nsoon,21\n,22\n3\n", "", "ts"]) {
      expect(csvFacts(csv(text))).toEqual({ sha256: hashOf(text), from: null, to: null });
    }
  });

  it("takes an instant that goes on from the one before for another", () => {
    const { from, to } = csvFacts(csv("ts,inlet_c\n2026-01-01,21\n2026-01-01T10:00:00Z,22\n"));
    expect([from, to]).toEqual(["2026-01-01T00:00:00.000Z", "2026-01-01T10:00:00.000Z"]);
  });

  it("is the same for a file of many blocks with a line longer than one, read in a second thread", async () => {
    const filler = "x".repeat(2_500_000);
    const lines = Array.from(
      { length: 100_000 },
      (_, i) => `${isoTime(T0 + ((i * 7_919) % 100_000) * 1000)},${i}`,
    );
    const text = [
      "ts,note",
      ...lines.slice(0, 50_000),
      `${isoTime(T0 - 1)},${filler}`,
      ...lines.slice(50_000),
    ].join("\n");
    const path = csv(text.padEnd(9 * 1024 * 1024, "\n2026-01-01T00:00:00Z,y"));
    const looking = startCsvFacts(path);
    const facts = await looking.result();
    await looking.stop();
    expect(facts).toEqual(csvFacts(path));
    expect([facts.from, facts.to]).toEqual([isoTime(T0 - 1), isoTime(T0 + 99_999_000)]);
  });
});
