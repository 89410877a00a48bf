import type { RackSeries, ReadSeries } from "../../aggregator/drift/stored-series.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { takeRows } from "../../shared/ims/trim.ts";
import { seededRandom } from "../../shared/random.ts";
import { LIMITS } from "./models.ts";

const F = FEATURES.length;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** How much warmer a rack runs than usual at an instant, K; a fault shows as more outlet than a season would. */
export interface Warmth {
  season_k?: number;
  fault_k?: number;
}

/**
 * Telemetry of a rack whose load follows the day: power, tokens, fans and outlet go along, every reading has noise, and
 * the rack has a small lasting difference from the others.
 */
export function operation(
  rack_id: string,
  { from_ms, to_ms, step_ms = MINUTE_MS }: { from_ms: number; to_ms: number; step_ms?: number },
  warmth: (ts_ms: number) => Warmth = () => ({}),
): RackSeries {
  const n = Math.floor((to_ms - from_ms) / step_ms);
  const habit = seededRandom(rack_id).range(-0.2, 0.2);
  const random = seededRandom(`${rack_id}/${from_ms}`);
  const series = {
    rack_id,
    ts_ms: new Float64Array(n),
    x: new Float64Array(n * F),
    persistent: new Uint8Array(n),
  };
  for (let i = 0; i < n; i++) {
    const ts_ms = from_ms + i * step_ms;
    const { season_k = 0, fault_k = 0 } = warmth(ts_ms);
    const load = 1 + 0.25 * Math.sin((ts_ms / DAY_MS) * 2 * Math.PI);
    const noise = () => random.normal();
    const inlet_c = 22 + habit + season_k + 0.25 * noise();
    const delta_t = 13 * load + fault_k + 0.4 * noise();
    const pdu_kw = 7 * load + 0.15 * noise();
    const row = [
      ...[inlet_c, inlet_c + delta_t, delta_t, pdu_kw, 0.7 * pdu_kw + 0.05 * noise()],
      ...[7_500 * load + 120 * noise(), 165 + 20 * load + 4 * noise(), Math.round(32 * load + 3 * noise())],
      ...[58 * load + 2 * season_k + 2 * fault_k + 0.8 * noise(), 52 * load + season_k + 0.8 * noise()],
    ];
    series.ts_ms[i] = ts_ms;
    series.x.set(row, i * F);
  }
  return series;
}

/** Reads such operation as a store would give it; each rack's is made once. */
export function readerOf(
  span: { from_ms: number; to_ms: number },
  warmth: (rack_id: string, ts_ms: number) => Warmth,
): ReadSeries {
  const whole = new Map<string, RackSeries>();
  return (rack_id, from_ms, to_ms, stride) => {
    const series = whole.get(rack_id) ?? operation(rack_id, span, (ts_ms) => warmth(rack_id, ts_ms));
    whole.set(rack_id, series);
    const { ts_ms, x, persistent } = series;
    const picked = Uint32Array.from(
      [...ts_ms.keys()].filter((i) => ts_ms[i]! >= from_ms && ts_ms[i]! < to_ms && i % stride === 0),
    );
    return {
      rack_id,
      ts_ms: Float64Array.from(picked, (i) => ts_ms[i]!),
      x: takeRows(x, picked, F),
      persistent: Uint8Array.from(picked, (i) => persistent[i]!),
    };
  };
}

/** A model of such operation in its usual season, over whole days before `to_ms`. */
export function operationModel(rack_ids: readonly string[], to_ms: number, days = 1): ModelFile {
  const parts = rack_ids.map((rack_id) => operation(rack_id, { from_ms: to_ms - days * DAY_MS, to_ms }).x);
  const rows = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    rows.set(part, at);
    at += part.length;
  }
  return trainModel(rows, { clusters: 8, seed: 42, limits: LIMITS, data: "test", created_ms: to_ms });
}
