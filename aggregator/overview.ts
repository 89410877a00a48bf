import type { AggregatorConfig } from "../shared/contracts/config.ts";
import type { Incident } from "../shared/contracts/incident.ts";
import { deltaT } from "../shared/contracts/telemetry.ts";
import { topContributions } from "../shared/ims/score.ts";
import { isoTime } from "../shared/time.ts";
import { type ModeState, modeOf } from "./control/mode.ts";
import { agentOnline, type Fleet, isFresh, isOnline, type Rack, rackCondition } from "./fleet.ts";

type KpiConfig = AggregatorConfig["kpi"];

export interface Kpis {
  racks: {
    total: number;
    online: number;
    nominal: number;
    transient: number;
    persistent: number;
    unknown: number;
  };
  wh_per_prompt: number | null;
  j_per_token: number | null;
  /** Mean of the racks' p95, weighted by traffic: an estimate of what a prompt meets, not a true site percentile. */
  latency_p95_ms: number | null;
  latency_p95_max_ms: number | null;
  inlet_compliance_pct: number | null;
  /** Of energy per prompt against the fixed figure of the configuration; not a measured saving. */
  wh_below_baseline_pct: number | null;
  pdu_kw: number;
  tokens_ps: number;
}

/** The site's figures, from the racks whose telemetry is fresh. */
export function siteKpis(fleet: Fleet, limits: { inlet_c: number }, kpi: KpiConfig, now_ms: number): Kpis {
  const racks = { total: fleet.racks.length, online: 0, nominal: 0, transient: 0, persistent: 0, unknown: 0 };
  let pdu_kw = 0;
  let tokens_ps = 0;
  let weighted_ms = 0;
  let latency_p95_max_ms: number | null = null;
  let inlets = 0;
  let compliant = 0;
  for (const rack of fleet.racks) {
    if (isOnline(rack, now_ms)) racks.online++;
    racks[rackCondition(rack)]++;
    if (!rack.sample || !isFresh(rack, now_ms)) continue;
    const sample = rack.sample;
    if (sample.inlet_c !== null) {
      inlets++;
      if (sample.inlet_c < limits.inlet_c) compliant++;
    }
    if (sample.latency_p95_ms !== null) {
      latency_p95_max_ms = Math.max(latency_p95_max_ms ?? 0, sample.latency_p95_ms);
    }
    // Energy per token needs both of the same rack, or the ratio would compare different racks.
    if (sample.pdu_kw === null || sample.tokens_ps === null) continue;
    pdu_kw += sample.pdu_kw;
    tokens_ps += sample.tokens_ps;
    weighted_ms += (sample.latency_p95_ms ?? 0) * sample.tokens_ps;
  }
  const j_per_token = tokens_ps > 0 ? (pdu_kw * 1000) / tokens_ps : null;
  const wh_per_prompt = j_per_token === null ? null : (j_per_token * kpi.tokens_per_prompt) / 3600;
  return {
    racks,
    wh_per_prompt,
    j_per_token,
    latency_p95_ms: tokens_ps > 0 ? weighted_ms / tokens_ps : null,
    latency_p95_max_ms,
    inlet_compliance_pct: inlets > 0 ? (100 * compliant) / inlets : null,
    wh_below_baseline_pct:
      wh_per_prompt === null ? null : 100 * (1 - wh_per_prompt / kpi.baseline_wh_per_prompt),
    pdu_kw,
    tokens_ps,
  };
}

const TOP_CONTRIBUTIONS = 3;

/** The rack with the largest D among those with fresh telemetry. */
export function worstRack(fleet: Fleet, now_ms: number) {
  const scored = fleet.racks.filter((rack) => rack.score && isFresh(rack, now_ms));
  const worst = scored.reduce<Rack | null>(
    (best, rack) => (best?.score && rack.score && best.score.d >= rack.score.d ? best : rack),
    null,
  );
  if (!worst?.score) return null;
  const { d, tau_fast, tau_persist, contributions } = worst.score;
  const top = topContributions(contributions, TOP_CONTRIBUTIONS);
  return {
    rack_id: worst.rack_id,
    d,
    tau_fast,
    tau_persist,
    state: rackCondition(worst),
    contributions: top,
  };
}

/** One rack as lists and maps show it. */
export function rackSummary(rack: Rack, mode: ModeState, now_ms: number) {
  const { sample, score, mms } = rack;
  const delta_t = sample ? deltaT(sample) : Number.NaN;
  return {
    rack_id: rack.rack_id,
    row: rack.row,
    position: rack.position,
    online: isOnline(rack, now_ms),
    agent_online: agentOnline(rack),
    mode: modeOf(mode, rack.rack_id),
    agent_model_id: rack.status?.model_id ?? null,
    ts: sample?.ts ?? null,
    state: rackCondition(rack),
    d: score?.d ?? null,
    tau_fast: score?.tau_fast ?? null,
    tau_persist: score?.tau_persist ?? null,
    level: score?.state ?? null,
    scored_by: score?.scored_by ?? null,
    mms_state: mms?.state ?? null,
    mms_phase: mms?.test?.phase ?? null,
    mms_ema: mms?.ema ?? null,
    inlet_c: sample?.inlet_c ?? null,
    outlet_c: sample?.outlet_c ?? null,
    delta_t: Number.isNaN(delta_t) ? null : delta_t,
    pdu_kw: sample?.pdu_kw ?? null,
    tokens_ps: sample?.tokens_ps ?? null,
    latency_p95_ms: sample?.latency_p95_ms ?? null,
    queue_depth: sample?.queue_depth ?? null,
    fan_rpm_pct: sample?.fan_rpm_pct ?? null,
    pump_rpm_pct: sample?.pump_rpm_pct ?? null,
    contributions: score ? topContributions(score.contributions, 10) : [],
  };
}

interface OverviewParts {
  config: AggregatorConfig;
  fleet: Fleet;
  mode: ModeState;
  model_id: string | null;
  actions: number;
  incidents: readonly Incident[];
  /** Of the last 24 h against the unoptimised plant; null where it cannot be told. */
  energy_saved_pct: number | null;
}

export function siteOverview(parts: OverviewParts, now_ms: number) {
  const { config, fleet, mode, model_id, actions, incidents, energy_saved_pct } = parts;
  const { racks, ...kpis } = siteKpis(fleet, config.limits, config.kpi, now_ms);
  return {
    ts: isoTime(now_ms),
    site: config.site,
    time_zone: config.schedules.timezone,
    ...mode,
    model_id,
    racks,
    worst_rack: worstRack(fleet, now_ms),
    kpis: { ...kpis, energy_saved_pct, baseline_wh_per_prompt: config.kpi.baseline_wh_per_prompt },
    actions,
    incidents: incidents.map(
      ({ id, scope, row, status, severity, title, opened_at, maintenance, racks }) => ({
        ...{ id, scope, row, status, severity, title, opened_at, maintenance },
        racks: racks.map(({ rack_id }) => rack_id),
      }),
    ),
    limits: config.limits,
    rack_list: fleet.racks.map((rack) => rackSummary(rack, mode, now_ms)),
  };
}
