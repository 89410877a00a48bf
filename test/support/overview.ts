import type { Overview, RackSummary } from "../../shared/contracts/overview.ts";

/** One rack in nominal operation, as `GET /state/overview` shows it. */
export function rackSummary(rack_id: string, changes: Partial<RackSummary> = {}): RackSummary {
  const [, row = "A", position] = rack_id.split("-");
  return {
    rack_id,
    row,
    position: Number(position),
    online: true,
    agent_online: true,
    mode: "advisory",
    agent_model_id: "ims_test",
    ts: "2026-01-31T12:00:00Z",
    state: "nominal",
    d: 1.2,
    tau_fast: 2,
    tau_persist: 2.4,
    level: "nominal",
    scored_by: "agent",
    mms_state: "transient",
    mms_phase: null,
    mms_ema: 1.1,
    inlet_c: 22.4,
    outlet_c: 35.1,
    delta_t: 12.7,
    pdu_kw: 8,
    tokens_ps: 8_000,
    latency_p95_ms: 180,
    queue_depth: 30,
    fan_rpm_pct: 65,
    pump_rpm_pct: 55,
    contributions: [
      { feature: "inlet_c", share: 0.5 },
      { feature: "latency_p95_ms", share: 0.3 },
    ],
    ...changes,
  };
}

/** A rack that is persistent and too warm. */
export const hotRack = (rack_id: string): RackSummary =>
  rackSummary(rack_id, {
    state: "persistent",
    level: "persist",
    mms_state: "persistent",
    d: 5,
    inlet_c: 29.3,
    latency_p95_ms: 320,
    contributions: [
      { feature: "inlet_c", share: 0.6 },
      { feature: "fan_rpm_pct", share: 0.25 },
    ],
  });

/** A site with these racks. */
export function overviewOf(rack_list: RackSummary[], changes: Partial<Overview> = {}): Overview {
  const count = (state: RackSummary["state"]) => rack_list.filter((rack) => rack.state === state).length;
  return {
    ts: "2026-01-31T12:00:00.000Z",
    site: "dc1",
    time_zone: "UTC",
    mode: "advisory",
    kill_switch: false,
    overrides: { rows: {}, racks: {} },
    model_id: "ims_test",
    racks: {
      total: rack_list.length,
      online: rack_list.filter(({ online }) => online).length,
      nominal: count("nominal"),
      transient: count("transient"),
      persistent: count("persistent"),
      unknown: count("unknown"),
    },
    worst_rack: null,
    kpis: {
      wh_per_prompt: 0.612,
      baseline_wh_per_prompt: 0.6,
      j_per_token: 1,
      latency_p95_ms: 190,
      latency_p95_max_ms: 320,
      inlet_compliance_pct: 98.6,
      energy_saved_pct: null,
      wh_below_baseline_pct: -2,
      pdu_kw: 576,
      tokens_ps: 576_000,
    },
    actions: 3,
    incidents: [],
    limits: { inlet_c: 28, latency_p95_ms: 250, rack_kw: 12 },
    rack_list,
    ...changes,
  };
}
