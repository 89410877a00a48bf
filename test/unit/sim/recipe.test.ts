import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseValue } from "../../../shared/contracts/parse.ts";
import { racksOf } from "../../../shared/contracts/rack.ts";
import { gpuPowerKw, TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { seededRandom } from "../../../shared/random.ts";
import { isoTime } from "../../../shared/time.ts";
import { csvWriter } from "../../../sim/data/csv-writer.ts";
import { type DataRow, emptyRow } from "../../../sim/data/data-row.ts";
import { NOISE_SHARE, PROFILE_FIELDS, PROFILES } from "../../../sim/profiles/profiles.ts";
import { generateRecipe, rackProfile, tickProfile } from "../../../sim/profiles/recipe.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const RACKS = racksOf(["A", "B", "C", "D", "E", "F"], 12);

function generate(options: { hours: number; tick_s: number; seed: number | string }): DataRow[] {
  const rows: DataRow[] = [];
  const start_ms = Date.UTC(2025, 9, 11);
  const random = seededRandom(options.seed);
  const recipe = generateRecipe({ ...options, rack_ids: RACKS, start_ms, random }, (row) =>
    rows.push({ ...row }),
  );
  for (const _ of recipe);
  return rows;
}

const share = (count: number, profile: () => string) => {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const drawn = profile();
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  return counts;
};

describe("the statistical recipe", () => {
  const rows = generate({ hours: 6, tick_s: 60, seed: 1 });

  it("gives one row per rack and tick", () => {
    expect(rows).toHaveLength(6 * 60 * 72);
    expect(new Set(rows.map((r) => r.rack_id)).size).toBe(72);
  });

  it("keeps every quantity in its profile's range, give or take the noise", () => {
    for (const field of PROFILE_FIELDS) {
      if (field === "outlet_c") continue;
      const outside = rows.filter((row) => {
        const [low, high] = PROFILES[row.regime][field];
        const slack = 6 * NOISE_SHARE * (high - low) + 1;
        return row[field] < low - slack || row[field] > high + slack;
      });
      expect(outside, field).toEqual([]);
    }
  });

  it("obeys the described bounds", () => {
    const wrong = rows.filter(
      (row) =>
        row.outlet_c - row.inlet_c < 8 - 1e-9 ||
        !Number.isInteger(row.queue_depth) ||
        row.queue_depth < 1 ||
        row.fan_rpm_pct < 40 ||
        row.fan_rpm_pct > 100 ||
        row.pump_rpm_pct < 35 ||
        row.pump_rpm_pct > 90 ||
        Math.abs(row.gpu_power_kw - 0.7 * row.pdu_kw) > 1e-9 ||
        Math.abs(row.gpu_energy_j - row.gpu_power_kw * 60_000) > 1e-6,
    );
    expect(wrong).toEqual([]);
  });

  it("is the same for the same seed and another for another", () => {
    const one = generate({ hours: 0.1, tick_s: 30, seed: 7 });
    expect(generate({ hours: 0.1, tick_s: 30, seed: 7 })).toEqual(one);
    expect(generate({ hours: 0.1, tick_s: 30, seed: 8 })).not.toEqual(one);
  });

  it("draws the site's profile by the hour", () => {
    const random = seededRandom(3);
    const night = share(20_000, () => tickProfile(3, random));
    const office = share(20_000, () => tickProfile(12, random));
    expect(night.thermal_event! / 20_000).toBeCloseTo(0.05, 1);
    expect(night.high_load).toBeUndefined();
    expect(office.high_load! / (office.high_load! + office.nominal!)).toBeCloseTo(0.3, 1);
    expect(office.under_utilized).toBeUndefined();
  });

  it("makes row C the hot spot and row E the cold aisle", () => {
    const random = seededRandom(4);
    expect(share(20_000, () => rackProfile("C", "high_load", random)).thermal_event! / 20_000).toBeCloseTo(
      0.08,
      1,
    );
    expect(share(20_000, () => rackProfile("E", "nominal", random)).overcooled! / 20_000).toBeCloseTo(
      0.15,
      1,
    );
    expect(share(1_000, () => rackProfile("A", "nominal", random))).toHaveProperty("nominal");
    expect(rackProfile("C", "overcooled", random)).toBe("overcooled");
  });
});

describe("a data set on disk", () => {
  const write = (rows: readonly DataRow[], labels: boolean): string => {
    const path = join(temporaryFolder(), "data.csv");
    const writer = csvWriter(path, { labels });
    for (const row of rows) writer.write(row);
    const { rows: count, bytes } = writer.close();
    const text = readFileSync(path, "utf8");
    expect(count).toBe(rows.length);
    expect(bytes).toBe(text.length);
    return text;
  };
  const row: DataRow = { ...emptyRow(), ts_ms: Date.UTC(2025, 9, 11), rack_id: "R-A-01" };

  it("has the described columns, and labels where asked for", () => {
    expect(write([], false)).toBe(
      "ts,rack_id,inlet_c,outlet_c,pdu_kw,gpu_energy_j,tokens_ps,latency_p95_ms,queue_depth,fan_rpm_pct,pump_rpm_pct,delta_t,gpu_power_kw\n",
    );
    expect(write([row], true).trim().split("\n").at(-1)).toMatch(/,nominal,none$/);
  });

  it("writes numbers to their sensors' resolution, whatever their size or sign", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e9, noNaN: true }), (value) => {
        const cell = write([{ ...row, inlet_c: value }], false)
          .split("\n")[1]!
          .split(",")[2]!;
        expect(cell).toMatch(/^-?\d+\.\d\d$/);
        expect(Number(cell)).toBeCloseTo(value, 1);
      }),
      { numRuns: 200 },
    );
    expect(write([{ ...row, inlet_c: -0.05, outlet_c: 1234.567, pdu_kw: Number.NaN }], false)).toContain(
      ",-0.05,1234.57,,0,",
    );
  });

  it("is the same for many rows, which a second thread writes", () => {
    const racks = Array.from({ length: 300 }, (_, i) => `R-A-${i}`);
    const rows = Array.from({ length: 250_000 }, (_, i) => ({
      ...row,
      ts_ms: row.ts_ms + Math.floor(i / 300) * 1000,
      rack_id: racks[Math.floor(i / 1_000) % 300]!,
      inlet_c: i / 4,
      fault: i % 50_000 === 49_999 ? `fault-${i}` : "none",
    }));
    const lines = write(rows, true).trim().split("\n").slice(1);
    expect(lines).toHaveLength(rows.length);
    const wrong = lines.filter((line, i) => {
      const { ts_ms, rack_id, inlet_c, fault } = rows[i]!;
      const rest = "0.00,0.000,0,0.0,0.0,0,0.0,0.0,0.00,0.0000";
      return line !== `${isoTime(ts_ms)},${rack_id},${inlet_c.toFixed(2)},${rest},nominal,${fault}`;
    });
    expect(wrong).toEqual([]);
  });

  it("fails where the disk is full", () => {
    expect(() => csvWriter("/dev/full", { labels: false })).toThrow(/ENOSPC/);
  });

  it("is telemetry that every edge accepts, with its power in true kW", () => {
    const sample = generate({ hours: 0.02, tick_s: 60, seed: 1 })[0]!;
    const [header, line] = write([sample], false)
      .trim()
      .split("\n")
      .map((l) => l.split(","));
    const text = Object.fromEntries(header!.map((name, i) => [name, line![i]!]));
    const object = Object.fromEntries(
      Object.entries(text).map(([k, v]) => [k, k === "ts" || k === "rack_id" ? v : Number(v)]),
    );
    const parsed = parseValue(TelemetrySample, object);
    expect(parsed.ok && gpuPowerKw(parsed.value)).toBeCloseTo(sample.gpu_power_kw, 2);
  });
});
