import { describe, expect, it } from "vitest";
import type { Series } from "../../../aggregator/optimizer/effect.ts";
import { judge, type RowMinutes, rowMinutes } from "../../../aggregator/optimizer/outcome.ts";
import type { RackMinute } from "../../../aggregator/store/store.ts";
import { MEASURED_FIELDS, type MeasuredField } from "../../../shared/contracts/telemetry.ts";
import { seededRandom } from "../../../shared/random.ts";

const T0 = Date.UTC(2026, 0, 15, 12);
const MINUTE_MS = 60_000;
const CHANGE_MS = T0 + 30 * MINUTE_MS;
const RACKS = ["R-A-01", "R-A-02", "R-A-03", "R-A-04"];
const predicted = { inlet_c: 22, latency_p95_ms: 180 };

type Values = Partial<Record<MeasuredField, number>>;
const SPAN = { from_ms: T0, to_ms: T0 + 40 * MINUTE_MS, change_ms: CHANGE_MS };

/** Forty minutes of a row; the change is at the thirtieth. */
function recorded(seed: number, values: (rack: number, minute: number, noise: () => number) => Values) {
  const random = seededRandom(seed);
  const minutes: RackMinute[] = [];
  for (let t = 0; t < 40; t++) {
    RACKS.forEach((rack_id, i) => {
      const measured = values(i, t, () => random.normal());
      const mean = Object.fromEntries(
        MEASURED_FIELDS.map((field) => [field, measured[field] ?? null]),
      ) as RackMinute["mean"];
      const rest = { samples: 12, max: mean, d_mean: null, d_max: null, energy_kwh: 0, tokens: 0 };
      minutes.push({ rack_id, minute_ms: T0 + t * MINUTE_MS, mean, ...rest });
    });
  }
  return minutes;
}

const powerOf = (tokens_ps: number, noise: () => number) => 1.7 + 0.8 * (tokens_ps / 1_000) + 0.03 * noise();

/** A row whose load rises by a third; `changed` acts on the first rack after the change. */
function row(changed: Values = {}) {
  const minutes = recorded(4, (i, t, noise) => {
    const add = (field: MeasuredField) => (i === 0 && t > 30 ? (changed[field] ?? 0) : 0);
    const tokens_ps = 7_000 + 60 * t + 100 * noise();
    return {
      tokens_ps,
      inlet_c: 22 + add("inlet_c") + 0.1 * noise(),
      latency_p95_ms: 180 + add("latency_p95_ms") + 3 * noise(),
      pdu_kw: powerOf(tokens_ps, noise) + add("pdu_kw"),
    };
  });
  return rowMinutes(minutes, RACKS[0]!, RACKS.slice(1), SPAN);
}

/** A row whose p95 follows the load by 20 ms per 1,000 tokens/s; the first rack gets more of it after the change. */
function busier(more_ps: number) {
  const minutes = recorded(5, (i, t, noise) => {
    const tokens_ps = 7_000 + 60 * t + 300 * noise() + (i === 0 && t > 30 ? more_ps : 0);
    return {
      tokens_ps,
      inlet_c: 22 + 0.1 * noise(),
      latency_p95_ms: 180 + (tokens_ps - 7_000) / 50 + 3 * noise(),
      pdu_kw: powerOf(tokens_ps, noise),
    };
  });
  return rowMinutes(minutes, RACKS[0]!, RACKS.slice(1), SPAN);
}

/** A row of which no rack was left unchanged; the inlets of the first `count` rise by 3 °C after the change. */
function warmer(count: number) {
  const minutes = recorded(6, (i, t, noise) => {
    const tokens_ps = 7_000 + 100 * noise();
    return {
      tokens_ps,
      inlet_c: 22 + 0.1 * noise() + (t > 30 && i < count ? 3 : 0),
      latency_p95_ms: 180 + 3 * noise(),
      pdu_kw: powerOf(tokens_ps, noise),
    };
  });
  return rowMinutes(minutes, RACKS[0]!, [], SPAN, RACKS.slice(1));
}

/** The same row, but that nobody reports these. */
function without(fields: readonly string[], whole: RowMinutes): RowMinutes {
  const hidden = (series: Series) => series.map(() => null);
  const shown = (field: MeasuredField) => !fields.includes(field);
  return {
    ...whole,
    own: (field) => (shown(field) ? whole.own(field) : hidden(whole.own(field))),
    controls: (field) => (shown(field) ? whole.controls(field) : whole.controls(field).map(hidden)),
    others: (field) => (shown(field) ? whole.others(field) : whole.others(field).map(hidden)),
  };
}

describe("a change is judged by its rack against the row, before and after", () => {
  it("a saving is found under a load that rises meanwhile, idle power and all", () => {
    const verdict = judge(row({ pdu_kw: -0.4 }), predicted, "fan_rpm_pct");
    expect(verdict?.realized_saving_kw).toBeCloseTo(0.4, 1);
    expect(verdict?.realized_std_error_kw).toBeLessThan(0.05);
    expect(verdict?.worsened).toBeNull();
  });

  it.each([
    ["the inlet rises", { inlet_c: 0.8 }, /inlet rose by 0\.\d+ ± /],
    ["p95 rises", { latency_p95_ms: 15 }, /p95/],
    ["the same load takes more power", { pdu_kw: 0.25 }, /power at equal load/],
  ])("is taken back when %s beyond noise", (_what, changed, worsened) => {
    expect(judge(row(changed), predicted, "fan_rpm_pct")?.worsened).toMatch(worsened);
  });

  it("is not blamed for what its kind cannot do: a window for the air that enters", () => {
    expect(judge(row({ inlet_c: 0.8 }), predicted, "batch_window_ms")?.worsened).toBeNull();
    expect(judge(row({ latency_p95_ms: 15 }), predicted, "batch_window_ms")?.worsened).toMatch(/p95/);
  });

  it("is not blamed for more load, but where it moved traffic", () => {
    expect(judge(busier(1_500), predicted, "fan_rpm_pct")?.worsened).toBeNull();
    expect(judge(busier(1_500), predicted, "routing_weight_pct")?.worsened).toMatch(/p95/);
  });

  it("is not blamed for warm air that reaches its whole row, though hardly a rack of it was left unchanged", () => {
    expect(judge(warmer(RACKS.length), predicted, "fan_rpm_pct")?.worsened).toBeNull();
    expect(judge(warmer(1), predicted, "fan_rpm_pct")?.worsened).toMatch(/inlet/);
  });

  it("stands within noise, and where what rose is what was predicted", () => {
    expect(judge(row(), predicted, "fan_rpm_pct")?.worsened).toBeNull();
    const costly = row({ latency_p95_ms: 15, inlet_c: 0.8 });
    expect(judge(costly, { inlet_c: 22.8, latency_p95_ms: 196 }, "fan_rpm_pct")?.worsened).toBeNull();
  });

  it("stands where it costs the power that it was made for, such as a faster fan's", () => {
    const rise = row({ pdu_kw: 0.25 });
    expect(judge(rise, { ...predicted, power_rise_kw: 0.25 }, "fan_rpm_pct")?.worsened).toBeNull();
    expect(judge(rise, { ...predicted, power_rise_kw: 0.05 }, "fan_rpm_pct")?.worsened).toMatch(
      /power at equal load/,
    );
  });

  it.each([
    ["inlet_c", { inlet_c: 0.8 }, /inlet/],
    ["latency_p95_ms", { latency_p95_ms: 15 }, /p95/],
    ["pdu_kw", { pdu_kw: 0.25 }, /power/],
  ] as const)("is taken back for its %s alone, where nothing else is known", (known, changed, worsened) => {
    const unknown = ["inlet_c", "latency_p95_ms", "pdu_kw"].filter((field) => field !== known);
    expect(judge(without(unknown, row(changed)), predicted, "fan_rpm_pct")?.worsened).toMatch(worsened);
  });

  it("has no saving where its power is not known", () => {
    const verdict = judge(without(["pdu_kw"], row()), predicted, "fan_rpm_pct");
    expect(verdict).toEqual({ realized_saving_kw: null, realized_std_error_kw: null, worsened: null });
  });

  it("is not judged where nothing that it acts on is known: of a window, p95", () => {
    const blind = without(["inlet_c", "latency_p95_ms", "pdu_kw"], row());
    expect(judge(blind, predicted, "fan_rpm_pct")).toBeNull();
    expect(judge(without(["latency_p95_ms"], row()), predicted, "batch_window_ms")).toBeNull();
  });

  it("is compared with those neighbours only that report before and after it, and else with itself", () => {
    const silent = new Array<null>(40).fill(null);
    const heard = row({ inlet_c: 0.8 });
    const among = (...others: (typeof silent)[]) => ({
      ...heard,
      controls: (field: MeasuredField) => [...heard.controls(field), ...others],
    });
    const verdict = judge(heard, predicted, "fan_rpm_pct");
    expect(judge(among(silent, silent), predicted, "fan_rpm_pct")).toEqual(verdict);
    const alone = { ...heard, controls: () => [silent, silent], others: () => [silent, silent] };
    expect(judge(alone, predicted, "fan_rpm_pct")?.worsened).toMatch(/inlet/);
  });

  it("is not judged before a whole minute has gone by", () => {
    const span = { from_ms: T0, to_ms: CHANGE_MS + MINUTE_MS, change_ms: CHANGE_MS };
    expect(judge(rowMinutes([], "R-A-01", [], span), predicted, "fan_rpm_pct")).toBeNull();
  });
});
