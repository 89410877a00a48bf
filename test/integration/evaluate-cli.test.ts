import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FEATURES } from "../../shared/ims/features.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { healthyRows } from "../support/health.ts";
import { LIMITS } from "../support/models.ts";
import { runProgram } from "../support/program.ts";

const F = FEATURES.length;
const WINDOWS = 6_000;
/** Windows in which the pump runs far too fast on the second rack. */
const FAULTY = [2_000, 2_400] as const;

/** Shared by the tests of this file. */
const folder = mkdtempSync(join(tmpdir(), "skadi-evaluate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => join(folder, name);
const run = (...args: string[]) => runProgram("aggregator", args);

/** Two racks, five seconds a row; in `labelled`, one of them has a fault that is named. */
function writeCsv(path: string, labels: boolean): void {
  const lines = [["ts", "rack_id", ...FEATURES, ...(labels ? ["fault"] : [])].join(",")];
  const racks = [healthyRows(WINDOWS, 11), healthyRows(WINDOWS, 12)];
  for (let i = 0; i < WINDOWS; i++) {
    for (const [r, rows] of racks.entries()) {
      const x = Array.from(rows.subarray(i * F, i * F + F));
      const faulty = labels && r === 1 && i >= FAULTY[0] && i < FAULTY[1];
      if (faulty) {
        x[FEATURES.indexOf("pump_rpm_pct")]! += 25;
        x[FEATURES.indexOf("outlet_c")]! += 12;
      }
      const ts = new Date(Date.UTC(2026, 0, 1) + i * 5_000).toISOString();
      lines.push(
        [ts, `R-A-0${r + 1}`, ...x, ...(labels ? [faulty ? "pump_degradation" : "none"] : [])].join(","),
      );
    }
  }
  writeFileSync(path, `${lines.join("\n")}\n`);
}

beforeAll(() => {
  writeCsv(file("nominal.csv"), false);
  writeCsv(file("labelled.csv"), true);
  const options = {
    clusters: 8,
    seed: 1,
    limits: LIMITS,
    data: "nominal.csv",
    created_ms: Date.UTC(2026, 0, 1),
  };
  writeModelFile(file("model.json"), trainModel(healthyRows(WINDOWS, 13), options));
});

describe("skadi-aggregator evaluate", () => {
  it("finds the labelled event with both models and says how late", async () => {
    const trained = await run(
      "train-health",
      "--data",
      file("nominal.csv"),
      "--out",
      file("health.json"),
      "--json",
    );
    expect([trained.code, trained.stderr]).toEqual([0, ""]);
    const args = [
      "evaluate",
      "--model",
      file("model.json"),
      "--data",
      file("labelled.csv"),
      "--health",
      file("health.json"),
    ];
    const { code, stdout } = await run(...args, "--json");
    expect(code).toBe(0);
    const { labels, rows, racks, signals } = JSON.parse(stdout);
    expect({ labels, rows, racks }).toEqual({ labels: "fault", rows: 2 * WINDOWS, racks: 2 });
    expect(signals.alarm.events).toMatchObject({ total: 1, found: 1, recall: 1 });
    expect(signals.alarm.events.median_delay_s).toBeLessThanOrEqual(60);
    expect(signals.alarm.samples.recall).toBeGreaterThan(0.95);
    expect(signals.alarm.false_alarms_per_rack_day).toBe(0);
    const readable = await run(...args);
    for (const text of ["pump_degradation", "F1", "false alarms per rack-day"])
      expect(readable.stdout).toContain(text);
  });

  it("without labels it counts alarms", async () => {
    const { stdout } = await run(
      "evaluate",
      "--model",
      file("model.json"),
      "--data",
      file("nominal.csv"),
      "--json",
    );
    const { labels, signals, d } = JSON.parse(stdout);
    expect(labels).toBeNull();
    expect(signals.fast).toMatchObject({ samples: null, events: null });
    expect(signals.fast.active_share).toBeGreaterThan(0.02);
    expect(signals.fast.active_share).toBeLessThan(0.1);
    expect(d.p50).toBeGreaterThan(0);
  });

  it("names what is wrong with its input, and ends with 2", async () => {
    writeFileSync(
      file("backwards.csv"),
      `ts,${FEATURES.join(",")}\n2026-01-02T00:00:00Z,${"1,".repeat(9)}1\n2026-01-01T00:00:00Z,${"1,".repeat(9)}1\n`,
    );
    const evaluate = (model: string, data: string, ...rest: string[]) =>
      run("evaluate", "--model", file(model), "--data", file(data), ...rest);
    const cases = [
      [await evaluate("model.json", "nowhere.csv"), "a readable file (ENOENT"],
      [await evaluate("nowhere.json", "nominal.csv"), "SKADI_MODEL_SCHEMA"],
      [await evaluate("model.json", "nominal.csv", "--labels", "anomaly"), "a column anomaly in the header"],
      [await evaluate("model.json", "backwards.csv"), "line 3, column ts"],
      [await evaluate("model.json", "nominal.csv", "--health", file("model.json")), "SKADI_"],
    ] as const;
    for (const [{ code, stderr }, text] of cases) {
      expect(stderr).toContain(text);
      expect(code).toBe(2);
    }
  }, 60_000);
});

describe("skadi-aggregator report-model", () => {
  it("writes one self-contained page with every picture", async () => {
    const { code, stderr } = await run(
      "report-model",
      "--model",
      file("model.json"),
      "--data",
      file("labelled.csv"),
      "--out",
      file("report.html"),
    );
    expect([code, stderr]).toEqual([0, ""]);
    const page = readFileSync(file("report.html"), "utf8");
    expect(page).not.toMatch(/<script|https?:\/\/|NaN|undefined|Infinity/);
    for (const feature of FEATURES) expect(page).toContain(`distribution of ${feature}`);
    for (const picture of ["cluster centres", "distribution of D", "ROC curve"]) {
      expect(page).toContain(`aria-label="${picture}"`);
    }
    expect(page).toContain("<title>Cluster sizes</title>");
    expect(page).toContain("tau_persist");
  });
});
