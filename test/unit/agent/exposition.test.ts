import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExposition } from "../../../agent/devices/exposition.ts";

const plain = (text: string, wanted?: ReadonlySet<string>) =>
  parseExposition(text, wanted)?.map(({ name, labels, value, at_ms }) => ({
    name,
    labels: Object.fromEntries(labels),
    value,
    ...(at_ms === undefined ? {} : { at_ms }),
  }));

describe("a metrics page", () => {
  it("is read with labels, escapes, times in ms and numbers of every kind", () => {
    const page = String.raw`# HELP t Tokens "so far" {x}
# TYPE t counter
t{model="a \"b\" \\ c\nd",path="{,}="} 1.5e+03 1700000000123
  spaced { a = "1" , }   +Inf
low -Inf
none NaN
bare 0x
bare 12.
`;
    expect(plain(page)).toEqual([
      { name: "t", labels: { model: 'a "b" \\ c\nd', path: "{,}=" }, value: 1500, at_ms: 1_700_000_000_123 },
      { name: "spaced", labels: { a: "1" }, value: Number.POSITIVE_INFINITY },
      { name: "low", labels: {}, value: Number.NEGATIVE_INFINITY },
      { name: "none", labels: {}, value: Number.NaN },
      { name: "bare", labels: {}, value: 12 },
    ]);
  });

  it("in OpenMetrics has times in seconds and exemplars", () => {
    const page = `# TYPE h histogram
h_bucket{le="0.5"} 3 # {trace_id="x # y"} 0.4 1700000000.5
h_bucket{le="+Inf"} 4 1700000001.25 # {trace_id="z"} 0.9
# EOF
`;
    expect(plain(page)).toEqual([
      { name: "h_bucket", labels: { le: "0.5" }, value: 3 },
      { name: "h_bucket", labels: { le: "+Inf" }, value: 4, at_ms: 1_700_000_001_250 },
    ]);
  });

  it("may have names with any characters, in quotes within the braces", () => {
    expect(plain('{"rack.power",unit="W"} 7800\n{"a b"} 1')).toEqual([
      { name: "rack.power", labels: { unit: "W" }, value: 7800 },
      { name: "a b", labels: {}, value: 1 },
    ]);
  });

  it("may end its lines as Windows does, and its last line not at all", () => {
    expect(plain('a{b="c"} 1\r\n\r\n# x\r\nd 2')).toEqual([
      { name: "a", labels: { b: "c" }, value: 1 },
      { name: "d", labels: {}, value: 2 },
    ]);
  });

  it("is read past a line that is broken", () => {
    expect(
      plain('a 1\nbroken{x="1 2\nbroken{x=1} 2\n9lives 3\nb 4 5 6\nc 3\n')?.map(({ name }) => name),
    ).toEqual(["a", "c"]);
  });

  it("is not any other text", () => {
    expect(parseExposition("<html>\n<body>log in</body>\n</html>")).toBeNull();
    expect(parseExposition('{"status":"ok"}')).toBeNull();
    expect(parseExposition("")).toEqual([]);
    expect(parseExposition("# nothing yet\n")).toEqual([]);
  });

  it("gives only the metrics that are wanted", () => {
    expect(plain('a 1\nab 2\na{x="1"} 3\n', new Set(["a"]))?.map(({ value }) => value)).toEqual([1, 3]);
  });

  const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/);
  const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/);
  const sample = fc.record({
    name,
    labels: fc.dictionary(
      label,
      fc.string({ unit: "binary" }).filter((text) => !text.includes("\r")),
    ),
    value: fc.double(),
    at_ms: fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }),
  });
  const number = (value: number) =>
    Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : value < 0 ? "-Inf" : "NaN";
  const written = ({
    name,
    labels,
    value,
    at_ms,
  }: {
    name: string;
    labels: Record<string, string>;
    value: number;
    at_ms: number | undefined;
  }) => {
    const pairs = Object.entries(labels).map(
      ([key, text]) =>
        `${key}="${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
    );
    return `${name}{${pairs.join(",")}} ${number(value)}${at_ms === undefined ? "" : ` ${at_ms}`}\n`;
  };

  it("comes back as it was written, whatever labels and numbers it has", () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), (samples) => {
        const read = parseExposition(samples.map(written).join(""));
        expect(read).toEqual(
          samples.map(({ labels, value, ...rest }) => ({
            ...rest,
            labels: new Map(Object.entries(labels)),
            value: value === 0 ? value + 0 : value,
          })),
        );
      }),
    );
  });

  it("never makes the reader fail, whatever it is", () => {
    const noise = fc.string({ unit: fc.constantFrom(...'ab{}=",\\ #1.eE+-NnIif\n\r\t') });
    fc.assert(
      fc.property(noise, (text) => {
        const read = parseExposition(text);
        expect(read === null || read.every(({ value }) => typeof value === "number")).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
