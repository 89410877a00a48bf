import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readCsv } from "../../shared/csv.ts";
import { runProgram } from "../support/program.ts";

/** Bounds of design §4, "measured on an independent replica of this recipe". */
const WITHIN = {
  nominal_share_pct: [90.0, 90.3],
  tau_fast: [2.15, 2.2],
  tau_persist: [2.43, 2.47],
  mean_d: [1.58, 1.61],
  std_d: [0.37, 0.39],
  mean_d2: [0, 2.66],
} as const;

const folder = mkdtempSync(join(tmpdir(), "skadi-figures-"));
const data = join(folder, "training_ims.csv");
const model = join(folder, "model.json");
let summary: Record<string, number>;

beforeAll(async () => {
  const generated = await runProgram("sim", ["generate", "training_ims", "--out", data, "--json"]);
  expect(generated.code, generated.stderr).toBe(0);
  const args = ["train", "--data", data, "--clusters", "8", "--seed", "42", "--out", model, "--json"];
  const trained = await runProgram("aggregator", args);
  expect(trained.code, trained.stderr).toBe(0);
  summary = JSON.parse(trained.stdout);
  return () => rmSync(folder, { recursive: true });
}, 120_000);

describe("skadi-sim generate and skadi-aggregator train on training_ims", () => {
  it("use 622,080 rows", () => {
    expect(summary.rows).toBe(622_080);
  });

  it.each(Object.entries(WITHIN))("give a %s within the described bounds", (name, [low, high]) => {
    const figures = { ...summary, nominal_share_pct: (100 * summary.nominal_rows!) / summary.rows! };
    const value = figures[name as keyof typeof figures];
    expect(value).toBeGreaterThanOrEqual(low);
    expect(value).toBeLessThanOrEqual(high);
  });

  it("give the described means of the quantities", async () => {
    const expected = {
      inlet_c: 22.6,
      outlet_c: 36,
      delta_t: 13.4,
      pdu_kw: 7.95,
      tokens_ps: 8256,
      latency_p95_ms: 192,
    };
    const columns = Object.keys(expected);
    const sums = columns.map(() => 0);
    const rows = await readCsv(data, columns, (cells) => {
      for (let i = 0; i < cells.length; i++) sums[i]! += Number(cells[i]);
    });
    for (const [i, mean] of Object.values(expected).entries()) {
      expect(Math.abs(sums[i]! / rows / mean - 1), columns[i]).toBeLessThan(0.01);
    }
  });

  const score = async (sample: object) => {
    const common = { ts: "2026-01-01T00:00:00Z", rack_id: "R-C-07", interval_s: 1 };
    const stdin = JSON.stringify({ ...common, ...sample });
    const { stdout } = await runProgram("agent", ["score", "--model", model, "--json"], { stdin });
    return JSON.parse(stdout) as { d: number; state: string };
  };

  it("score the described nominal sample below tau_fast", async () => {
    const { d, state } = await score({
      ...{ inlet_c: 22, outlet_c: 35, pdu_kw: 8, gpu_energy_j: 5_600, tokens_ps: 8000 },
      ...{ latency_p95_ms: 180, queue_depth: 30, fan_rpm_pct: 65, pump_rpm_pct: 55 },
    });
    expect(d).toBeLessThan(summary.tau_fast!);
    expect(state).toBe("nominal");
  });

  it("score the described anomalous sample above tau_persist", async () => {
    const { d, state } = await score({
      ...{ inlet_c: 28.5, outlet_c: 48, pdu_kw: 11.8, gpu_energy_j: 8_300, tokens_ps: 12_000 },
      ...{ latency_p95_ms: 320, queue_depth: 140, fan_rpm_pct: 95, pump_rpm_pct: 85 },
    });
    expect(d).toBeGreaterThan(summary.tau_persist!);
    expect(state).toBe("persist");
  });
});
