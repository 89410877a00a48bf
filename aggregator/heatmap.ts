import { deltaT, type Measured } from "../shared/contracts/telemetry.ts";
import { type Fleet, isOnline, type Rack, rackCondition } from "./fleet.ts";
import { conditionOf, type RackCondition } from "./mms/filter.ts";
import type { RackMinute, ScoredSample, Store } from "./store/store.ts";

export const HEATMAP_TYPES = {
  inlet: { unit: "°C", of: (m: Measured) => m.inlet_c },
  outlet: { unit: "°C", of: (m: Measured) => m.outlet_c },
  delta_t: { unit: "°C", of: (m: Measured) => nullIfNaN(deltaT(m)) },
  power: { unit: "kW", of: (m: Measured) => m.pdu_kw },
  tokens: { unit: "tokens/s", of: (m: Measured) => m.tokens_ps },
  latency: { unit: "ms", of: (m: Measured) => m.latency_p95_ms },
  queue: { unit: "requests", of: (m: Measured) => m.queue_depth },
  fan: { unit: "%", of: (m: Measured) => m.fan_rpm_pct },
  pump: { unit: "%", of: (m: Measured) => m.pump_rpm_pct },
  d: { unit: "σ", of: () => null },
  state: { unit: "", of: () => null },
} as const;
export type HeatmapType = keyof typeof HEATMAP_TYPES;

export interface HeatmapCell {
  rack_id: string;
  row: string;
  position: number;
  value: number | null;
  state: RackCondition;
}

/** The site now. */
export function liveHeatmap(
  fleet: Fleet,
  type: HeatmapType,
  now_ms: number,
): (HeatmapCell & { online: boolean })[] {
  return fleet.racks.map((rack) => ({
    ...cell(rack, type, rack.sample, rack.score?.d ?? null, rackCondition(rack)),
    online: isOnline(rack, now_ms),
  }));
}

/** A rack's last sample counts for an instant up to this long after it. */
const WITHIN_MS = 120_000;

/** The site at an instant in the past: from raw samples, or from the 1-minute rollups where those are gone. */
export function pastHeatmap(fleet: Fleet, store: Store, type: HeatmapType, ts_ms: number): HeatmapCell[] {
  const samples = new Map(store.samples.at(ts_ms, WITHIN_MS).map((entry) => [entry.sample.rack_id, entry]));
  const minutes = new Map(
    samples.size > 0 ? [] : store.rollups.minute(ts_ms).map((minute) => [minute.rack_id, minute]),
  );
  return fleet.racks.map((rack) =>
    pastCell(rack, type, samples.get(rack.rack_id), minutes.get(rack.rack_id)),
  );
}

function pastCell(
  rack: Rack,
  type: HeatmapType,
  entry: ScoredSample | undefined,
  minute: RackMinute | undefined,
): HeatmapCell {
  if (entry)
    return cell(rack, type, entry.sample, entry.score?.d ?? null, conditionOf(entry.mms, entry.score));
  return cell(rack, type, minute?.mean ?? null, minute?.d_mean ?? null, "unknown");
}

function cell(
  rack: Rack,
  type: HeatmapType,
  measured: Measured | null,
  d: number | null,
  state: RackCondition,
): HeatmapCell {
  const value = type === "d" ? d : measured && HEATMAP_TYPES[type].of(measured);
  return { rack_id: rack.rack_id, row: rack.row, position: rack.position, value, state };
}

function nullIfNaN(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
