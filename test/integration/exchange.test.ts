import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import fc from "fast-check";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { readParquet, Table, writeParquet } from "parquet-wasm";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { databaseFile } from "../../aggregator/secrets.ts";
import { openSqliteStore } from "../../aggregator/store/sqlite/sqlite-store.ts";
import type { ScoredSample } from "../../aggregator/store/store.ts";
import { MEASURED_FIELDS, TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { createLog } from "../../shared/log.ts";
import { isoTime } from "../../shared/time.ts";
import { runProgram } from "../support/program.ts";
import { NOMINAL_SAMPLE } from "../support/readings.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { HOT, sample, testSite } from "./aggregator-harness.ts";

const T0 = Date.UTC(2026, 2, 1);
const log = createLog("test", "silent");

/** A site's data directory and configuration in a folder of its own. */
function siteFolder() {
  const data_dir = temporaryFolder();
  const config = join(data_dir, "aggregator.yaml");
  writeFileSync(config, JSON.stringify({ data_dir, rows: ["A", "B"], racks_per_row: 3 }));
  const open = () => openSqliteStore(databaseFile(data_dir), { flush_ms: 10_000, log });
  const cli = (...args: string[]) => runProgram("aggregator", [...args, "--config", config, "--json"]);
  const samples = (): ScoredSample[] => {
    const store = open();
    const all = store.samples.page(0, Number.MAX_SAFE_INTEGER, null, 100_000);
    store.close();
    return all;
  };
  return { data_dir, open, cli, samples };
}

/** Numbers of every kind that a sensor may report, unread ones, and readings that are doubted. */
const readings = fc.record({
  inlet_c: fc.option(fc.double({ min: -40, max: 120, noNaN: true })),
  pdu_kw: fc.option(fc.double({ min: 0, max: 1_000, noNaN: true })),
  queue_depth: fc.integer({ min: 0, max: 500 }),
  quality: fc.constantFrom({}, { inlet_c: "suspect" }, { pdu_kw: "stale", queue_depth: "suspect" }),
});

describe("telemetry that is exported and imported", () => {
  let from: ReturnType<typeof siteFolder>;
  let before: ScoredSample[];
  beforeEach(() => {
    from = siteFolder();
    const store = from.open();
    const changes = fc.sample(readings, { numRuns: 120, seed: 7 });
    for (const [i, change] of changes.entries()) {
      const rack_id = `R-A-0${(i % 3) + 1}`;
      const ts = isoTime(T0 + Math.floor(i / 3) * 5_000);
      const raw = { ...NOMINAL_SAMPLE, ts, rack_id, seq: i, interval_s: 5, ...change };
      store.samples.add(TelemetrySample.parse(raw), { received_ms: T0, late: false });
    }
    store.close();
    before = from.samples();
  });

  it.each(["csv", "parquet"])("as %s is the same, number by number", async (format) => {
    const file = join(from.data_dir, `telemetry.${format}`);
    const exported = await from.cli("export", "--out", file);
    expect(JSON.parse(exported.stdout)).toMatchObject({ file, format, rows: 120 });
    const to = siteFolder();
    const imported = await to.cli("import", file);
    expect(JSON.parse(imported.stdout)).toEqual({ file, format, rows: 120, imported: 120, known: 0 });
    expect(to.samples().map((row) => row.sample)).toEqual(before.map((row) => row.sample));
  });

  it("a second time changes nothing", async () => {
    const file = join(from.data_dir, "telemetry.csv");
    await from.cli("export", "--out", file);
    const { stdout } = await from.cli("import", file);
    expect(JSON.parse(stdout)).toMatchObject({ imported: 0, known: 120 });
    expect(from.samples()).toEqual(before);
  });

  it("is history: it fills the minutes of timelines, and is no rack's present", async () => {
    const file = join(from.data_dir, "telemetry.parquet");
    await from.cli("export", "--out", file);
    const to = siteFolder();
    await to.cli("import", file);
    const store = to.open();
    expect(store.samples.latest("R-A-01")).toBeNull();
    expect(store.rollups.timeline(T0, T0 + 600_000, 600_000)).toMatchObject([{ racks: 3 }]);
    store.close();
  });

  it("is limited to the time asked for, of which the end is no part", async () => {
    const file = join(from.data_dir, "part.csv");
    const range = ["--from", isoTime(T0 + 5_000), "--to", isoTime(T0 + 15_000)];
    expect(JSON.parse((await from.cli("export", ...range, "--out", file)).stdout)).toMatchObject({ rows: 6 });
    const [header, ...lines] = readFileSync(file, "utf8").trim().split("\n");
    expect(header).toMatch(/^ts,rack_id,seq,interval_s,inlet_c,outlet_c,.*,delta_t,gpu_power_kw,quality,d,/);
    expect(new Set(lines.map((line) => line.split(",")[0]))).toEqual(
      new Set([isoTime(T0 + 5_000), isoTime(T0 + 10_000)]),
    );
  });

  it("as Parquet has instants, whole numbers and empty cells as what they are", async () => {
    const path = join(from.data_dir, "telemetry.parquet");
    await from.cli("export", "--out", path);
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
    expect(rows).toHaveLength(120);
    expect(rows[0]).toMatchObject({ ts: new Date(T0), rack_id: "R-A-01", seq: 0n, d: null });
    const nulls = (all: readonly object[]) =>
      all.filter((row) => "inlet_c" in row && row.inlet_c === null).length;
    expect(nulls(rows)).toBe(nulls(before.map((row) => row.sample)));
  });
});

describe("Parquet of and for others: Apache's own library", () => {
  it("reads what is exported, types and values", async () => {
    const from = siteFolder();
    const store = from.open();
    const readings = { ...NOMINAL_SAMPLE, inlet_c: null, ts: isoTime(T0), rack_id: "R-A-01", seq: 1 };
    store.samples.add(TelemetrySample.parse(readings), { received_ms: T0, late: false });
    store.close();
    const path = join(from.data_dir, "telemetry.parquet");
    await from.cli("export", "--out", path);
    const table = tableFromIPC(readParquet(readFileSync(path)).intoIPCStream());
    const types = Object.fromEntries(table.schema.fields.map(({ name, type }) => [name, String(type)]));
    expect(types).toMatchObject({ ts: "Timestamp<MILLISECOND, UTC>", seq: "Int64", pdu_kw: "Float64" });
    expect(types).toMatchObject({ rack_id: "Utf8", quality: "Utf8" });
    expect(table.numRows).toBe(1);
    expect(table.get(0)!.toJSON()).toMatchObject({
      ts: T0,
      rack_id: "R-A-01",
      seq: 1n,
      pdu_kw: 8,
      inlet_c: null,
    });
  });

  it("writes what can be imported", async () => {
    const to = siteFolder();
    const columns = MEASURED_FIELDS.map((field) => [field, new Float64Array([NOMINAL_SAMPLE[field]])]);
    const telemetry = tableFromArrays({
      rack_id: ["R-B-02"],
      ts: [new Date(T0)],
      ...Object.fromEntries(columns),
    });
    const path = join(to.data_dir, "theirs.parquet");
    writeFileSync(path, writeParquet(Table.fromIPCStream(tableToIPC(telemetry, "stream"))));
    expect(JSON.parse((await to.cli("import", path)).stdout)).toMatchObject({ imported: 1 });
    expect(to.samples()[0]!.sample).toMatchObject({ rack_id: "R-B-02", ts: isoTime(T0), ...NOMINAL_SAMPLE });
  });
});

describe("an import", () => {
  const HEADER = ["ts", "rack_id", ...MEASURED_FIELDS].join(",");
  const VALUES = MEASURED_FIELDS.map((field) => NOMINAL_SAMPLE[field]).join(",");

  it("takes a data set that has neither numbers nor qualities of its samples", async () => {
    const to = siteFolder();
    const file = join(to.data_dir, "set.csv");
    writeFileSync(file, `${HEADER}\n${isoTime(T0)},R-B-03,${VALUES}\n`);
    expect(JSON.parse((await to.cli("import", file)).stdout)).toMatchObject({ imported: 1 });
    expect(to.samples()[0]!.sample).toMatchObject({ rack_id: "R-B-03", seq: T0, interval_s: 5 });
  });

  it.each([
    ["a rack of another site", `${isoTime(T0)},R-Z-01,${VALUES}`, /line 3.*R-Z-01/],
    ["a reading that no sensor gives", `${isoTime(T0)},R-A-01,999${VALUES.slice(4)}`, /line 3.*inlet_c/],
    ["a word where a number should be", `${isoTime(T0)},R-A-01,warm${VALUES.slice(4)}`, /line 3.*inlet_c/],
  ])("stops at %s, and says where", async (_, line, problem) => {
    const to = siteFolder();
    const file = join(to.data_dir, "wrong.csv");
    writeFileSync(file, `${HEADER}\n${isoTime(T0)},R-A-01,${VALUES}\n${line}\n`);
    const { code, stderr } = await to.cli("import", file);
    expect(code).toBe(2);
    expect(stderr).toContain("SKADI_BAD_DATA");
    expect(stderr).toMatch(problem);
  });

  it.each(["csv", "parquet"])("names a %s file that is not there or is none", async (format) => {
    const to = siteFolder();
    const file = join(to.data_dir, `none.${format}`);
    expect(await to.cli("import", file)).toMatchObject({ code: 2, stderr: expect.stringContaining(file) });
    writeFileSync(file, "hello\n");
    expect(await to.cli("import", file)).toMatchObject({ code: 2, stderr: expect.stringContaining(file) });
  });
});

describe("an export", () => {
  it("that fails says so and leaves no half a file", async () => {
    const from = siteFolder();
    const folder = join(from.data_dir, "out");
    mkdirSync(folder);
    from.open().close();
    const { code, stderr } = await from.cli("export", "--out", join(folder, "nowhere", "telemetry.csv"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/SKADI_INVALID_FIELD.*--out.*nowhere/);
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  });

  it.each(["9999", "99999999999", "2026-02-30"])("to %s replaces no file with an empty one", async (to) => {
    const from = siteFolder();
    from.open().close();
    const file = join(from.data_dir, "telemetry.csv");
    writeFileSync(file, "yesterday's");
    const { code, stderr } = await from.cli("export", "--from", "2025", "--to", to, "--out", file);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`--to <instant>.*${to}.*ISO 8601`));
    expect(readFileSync(file, "utf8")).toBe("yesterday's");
  });

  it("from one year to the next has that year's samples", async () => {
    const from = siteFolder();
    const store = from.open();
    const raw = { ...NOMINAL_SAMPLE, ts: isoTime(T0), rack_id: "R-A-01", seq: 1, interval_s: 5 };
    store.samples.add(TelemetrySample.parse(raw), { received_ms: T0, late: false });
    store.close();
    const file = join(from.data_dir, "telemetry.csv");
    const { stdout } = await from.cli("export", "--from", "2026", "--to", "2027", "--out", file);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 1 });
  });

  it("reads beside a running aggregator, which serves the same as CSV", async () => {
    const site = await testSite({ config: { store: { flush_ms: 5 } } });
    onTestFinished(() => site.close());
    await site.post("/telemetry", sample("R-C-07", HOT));
    await site.post("/telemetry", sample("R-C-08"));
    const config = join(site.data_dir, "cli.yaml");
    writeFileSync(config, JSON.stringify({ data_dir: site.data_dir }));
    const served = await fetch(`${site.aggregator.http_url}/export`);
    expect(served.headers.get("content-type")).toContain("text/csv");
    const text = await served.text();
    const file = join(site.data_dir, "telemetry.csv");
    expect((await runProgram("aggregator", ["export", "--config", config, "--out", file])).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(text);
    const [header = "", first = ""] = text.split("\n");
    const cells = Object.fromEntries(header.split(",").map((name, i) => [name, first.split(",")[i]]));
    expect(cells).toMatchObject({ rack_id: "R-C-07", inlet_c: "29", level: "persist", quality: "" });
    expect((await site.get("/export?from=2026-01-02&to=2026-01-01")).status).toBe(422);
  });
});
