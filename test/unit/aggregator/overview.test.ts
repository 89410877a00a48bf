import { describe, expect, it } from "vitest";
import type { Fleet, Rack } from "../../../aggregator/fleet.ts";
import { siteKpis, worstRack } from "../../../aggregator/overview.ts";
import { score, telemetry } from "./store-suite.ts";

const NOW = Date.UTC(2026, 0, 1);
const limits = { inlet_c: 28 };
const kpi = { tokens_per_prompt: 2_240, baseline_wh_per_prompt: 0.6 };

function rack(rack_id: string, changes: Partial<Rack> = {}): Rack {
  return {
    rack_id,
    row: "A",
    position: 1,
    status: null,
    sample: telemetry(rack_id, 1),
    ts_ms: NOW,
    received_ms: NOW,
    score: score(rack_id, 1, 1),
    mms: null,
    d_slow: null,
    last_seq: 1,
    last_scored_seq: 1,
    late_run: null,
    clock_lag: null,
    lost: 0,
    ...changes,
  };
}

const fleet = (...racks: Rack[]): Fleet => ({ racks, get: (id) => racks.find((r) => r.rack_id === id) });
const hot = { state: "persistent" as const, ema: 3, above: 6, below: 0 };

describe("the site's key figures", () => {
  it("turn power and tokens into J per token and Wh per prompt", () => {
    const figures = siteKpis(fleet(rack("R-A-01"), rack("R-A-02")), limits, kpi, NOW);
    expect(figures.j_per_token).toBeCloseTo(1, 12);
    expect(figures.wh_per_prompt).toBeCloseTo(2_240 / 3_600, 12);
    expect(figures.wh_below_baseline_pct).toBeCloseTo(100 * (1 - 2_240 / 3_600 / 0.6), 9);
  });

  it("count racks by state", () => {
    const transient = rack("R-A-02", { score: score("R-A-02", 1, 2.2) });
    const persistent = rack("R-A-03", { mms: hot });
    const silent = rack("R-A-04", { sample: null, score: null, received_ms: Number.NEGATIVE_INFINITY });
    const { racks } = siteKpis(fleet(rack("R-A-01"), transient, persistent, silent), limits, kpi, NOW);
    expect(racks).toEqual({ total: 4, online: 3, nominal: 1, transient: 1, persistent: 1, unknown: 1 });
  });

  it("leave out racks whose telemetry is older than a minute", () => {
    const old = rack("R-A-02", {
      received_ms: NOW - 60_001,
      sample: telemetry("R-A-02", 1, { inlet_c: 40 }),
    });
    const figures = siteKpis(fleet(rack("R-A-01"), old), limits, kpi, NOW);
    expect(figures).toMatchObject({ inlet_compliance_pct: 100, pdu_kw: 8 });
  });

  it("say nothing where nothing is known", () => {
    const silent = rack("R-A-01", { sample: null, score: null });
    expect(siteKpis(fleet(silent), limits, kpi, NOW)).toMatchObject({
      wh_per_prompt: null,
      latency_p95_ms: null,
      inlet_compliance_pct: null,
    });
    expect(worstRack(fleet(silent), NOW)).toBeNull();
  });

  it("name the worst rack and what contributes most", () => {
    const worst = rack("R-A-02", { score: score("R-A-02", 1, 2.2) });
    expect(worstRack(fleet(rack("R-A-01"), worst), NOW)).toMatchObject({
      rack_id: "R-A-02",
      state: "transient",
      contributions: [
        { feature: "inlet_c", share: 0.75 },
        { feature: "pdu_kw", share: 0.25 },
      ],
    });
  });
});
