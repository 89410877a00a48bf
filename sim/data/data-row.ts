import type { Profile } from "../profiles/profiles.ts";

/** One row of a data set: the telemetry fields, the two derived ones, and (plant only) the labels. */
export interface DataRow {
  ts_ms: number;
  rack_id: string;
  inlet_c: number;
  outlet_c: number;
  pdu_kw: number;
  gpu_energy_j: number;
  tokens_ps: number;
  latency_p95_ms: number;
  queue_depth: number;
  fan_rpm_pct: number;
  pump_rpm_pct: number;
  delta_t: number;
  gpu_power_kw: number;
  regime: Profile;
  fault: string;
}

/** Receives rows one by one; the object is reused, so a sink copies what it keeps. */
export type RowSink = (row: DataRow) => void;

const HOUR_MS = 3_600_000;

export function ticksOf(options: { hours: number; tick_s: number }): number {
  return Math.round((options.hours * HOUR_MS) / (options.tick_s * 1000));
}

export function emptyRow(): DataRow {
  return {
    ts_ms: 0,
    rack_id: "",
    inlet_c: 0,
    outlet_c: 0,
    pdu_kw: 0,
    gpu_energy_j: 0,
    tokens_ps: 0,
    latency_p95_ms: 0,
    queue_depth: 0,
    fan_rpm_pct: 0,
    pump_rpm_pct: 0,
    delta_t: 0,
    gpu_power_kw: 0,
    regime: "nominal",
    fault: "none",
  };
}
