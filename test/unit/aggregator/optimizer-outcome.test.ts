import { describe, expect, it } from "vitest";
import { judge, rowMinutes } from "../../../aggregator/optimizer/outcome.ts";
import type { RackMinute } from "../../../aggregator/store/store.ts";
import { MEASURED_FIELDS, type MeasuredField } from "../../../shared/contracts/telemetry.ts";
import { seededRandom } from "../../../shared/random.ts";

const T0 = Date.UTC(2026, 0, 15, 12);
const MINUTE_MS = 60_000;
const CHANGE_MS = T0 + 30 * MINUTE_MS;
const RACKS = ["R-A-01", "R-A-02", "R-A-03", "R-A-04"];
const predicted = { inlet_c: 22, latency_p95_ms: 180 };

/** Forty minutes of a row whose load rises by a third; `changed` acts on the first rack after the change. */
function row(changed: Partial<Record<MeasuredField, number>> = {}) {
  const random = seededRandom(4);
  const minutes: RackMinute[] = [];
  for (let t = 0; t < 40; t++) {
    RACKS.forEach((rack_id, i) => {
      const add = (field: MeasuredField) => (i === 0 && t > 30 ? (changed[field] ?? 0) : 0);
      const tokens_ps = 7_000 + 60 * t + 100 * random.normal();
      const values: Partial<Record<MeasuredField, number>> = {
        tokens_ps,
        inlet_c: 22 + add("inlet_c") + 0.1 * random.normal(),
        latency_p95_ms: 180 + add("latency_p95_ms") + 3 * random.normal(),
        pdu_kw: 1.7 + 0.8 * (tokens_ps / 1_000) + add("pdu_kw") + 0.03 * random.normal(),
      };
      const mean = Object.fromEntries(
        MEASURED_FIELDS.map((field) => [field, values[field] ?? null]),
      ) as RackMinute["mean"];
      const rest = { samples: 12, max: mean, d_mean: null, d_max: null, energy_kwh: 0, tokens: 0 };
      minutes.push({ rack_id, minute_ms: T0 + t * MINUTE_MS, mean, ...rest });
    });
  }
  const span = { from_ms: T0, to_ms: T0 + 40 * MINUTE_MS, change_ms: CHANGE_MS };
  return rowMinutes(minutes, RACKS[0]!, RACKS.slice(1), span);
}

describe("a change is judged by its rack against the row, before and after", () => {
  it("a saving is found under a load that rises meanwhile, idle power and all", () => {
    const verdict = judge(row({ pdu_kw: -0.4 }), predicted);
    expect(verdict?.realized_saving_kw).toBeCloseTo(0.4, 1);
    expect(verdict?.realized_std_error_kw).toBeLessThan(0.05);
    expect(verdict?.worsened).toBeNull();
  });

  it.each([
    ["the inlet rises", { inlet_c: 0.8 }, /inlet rose by 0\.\d+ ± /],
    ["p95 rises", { latency_p95_ms: 15 }, /p95/],
    ["the same load takes more power", { pdu_kw: 0.25 }, /power at equal load/],
  ])("is taken back when %s beyond noise", (_what, changed, worsened) => {
    expect(judge(row(changed), predicted)?.worsened).toMatch(worsened);
  });

  it("stands within noise, and where what rose is what was predicted", () => {
    expect(judge(row(), predicted)?.worsened).toBeNull();
    const costly = row({ latency_p95_ms: 15, inlet_c: 0.8 });
    expect(judge(costly, { inlet_c: 22.8, latency_p95_ms: 196 })?.worsened).toBeNull();
  });

  it("stands where it costs the power that it was made for, such as a faster fan's", () => {
    const rise = row({ pdu_kw: 0.25 });
    expect(judge(rise, { ...predicted, power_rise_kw: 0.25 })?.worsened).toBeNull();
    expect(judge(rise, { ...predicted, power_rise_kw: 0.05 })?.worsened).toMatch(/power at equal load/);
  });

  it("is not judged before a whole minute has gone by", () => {
    const span = { from_ms: T0, to_ms: CHANGE_MS + MINUTE_MS, change_ms: CHANGE_MS };
    expect(judge(rowMinutes([], "R-A-01", [], span), predicted)).toBeNull();
  });
});
