import { MEASURED_FIELDS, type MeasuredField } from "../../../shared/contracts/telemetry.ts";
import { agentOnline, type Rack } from "../../fleet.ts";
import type { Kpis } from "../../overview.ts";
import type { Metric } from "./payload.ts";

const UNITS: Readonly<Record<MeasuredField, string>> = {
  inlet_c: "°C",
  outlet_c: "°C",
  pdu_kw: "kW",
  gpu_energy_j: "J",
  tokens_ps: "tokens/s",
  latency_p95_ms: "ms",
  queue_depth: "requests",
  fan_rpm_pct: "%",
  pump_rpm_pct: "%",
};

/** A rack as a Sparkplug device. */
export function rackMetrics(rack: Rack, now_ms: number): Metric[] {
  const measured_ms = Number.isFinite(rack.ts_ms) ? Math.trunc(rack.ts_ms) : now_ms;
  const { sample, score, mms, status } = rack;
  return [
    ...MEASURED_FIELDS.map((field) => ({
      ...{ name: `Telemetry/${field}`, timestamp_ms: measured_ms, unit: UNITS[field] },
      ...{ type: "double" as const, value: sample?.[field] ?? null },
    })),
    { name: "Score/d", timestamp_ms: measured_ms, type: "double", value: score?.d ?? null },
    { name: "MMS/persistent", timestamp_ms: now_ms, type: "boolean", value: mms?.state === "persistent" },
    { name: "Agent/online", timestamp_ms: now_ms, type: "boolean", value: agentOnline(rack) },
    { name: "Agent/model_id", timestamp_ms: now_ms, type: "string", value: status?.model_id ?? null },
  ];
}

/** The site's figures, as metrics of the edge node. */
export function siteMetrics(kpis: Kpis, incidents: number, now_ms: number): Metric[] {
  const figure = (name: string, unit: string, value: number | null): Metric => ({
    ...{ name: `Site/${name}`, timestamp_ms: now_ms, type: "double", unit, value },
  });
  return [
    figure("pdu_kw", "kW", kpis.pdu_kw),
    figure("tokens_ps", "tokens/s", kpis.tokens_ps),
    figure("wh_per_prompt", "Wh", kpis.wh_per_prompt),
    figure("latency_p95_ms", "ms", kpis.latency_p95_ms),
    figure("inlet_compliance_pct", "%", kpis.inlet_compliance_pct),
    figure("racks_persistent", "racks", kpis.racks.persistent),
    figure("incidents", "incidents", incidents),
  ];
}
