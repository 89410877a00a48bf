import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import type { RackMinute } from "../store/store.ts";
import { type Effect, measureEffect, type Series } from "./effect.ts";
import type { Prediction } from "./plan.ts";

/** Worse by less than this many standard errors is noise: one in some ten thousand judgements, were they normal. */
const ERRORS_MIN = 4;
/** What is too small to matter is not taken back, however certain. */
const INLET_RISE_MIN_C = 0.5;
const LATENCY_GROWTH_MIN = 0.03;
const ENERGY_GROWTH_MIN = 0.01;
/** Standard deviations of a minute's mean where a rack's own are not known yet. */
const PRIOR_STD = { inlet_c: 0.5, latency_p95_ms: 8, pdu_kw: 0.15 };

/** Minutes of a row's racks on a common time axis. */
export interface RowMinutes {
  own: (field: MeasuredField) => Series;
  /** Racks of the row on which nothing was changed meanwhile. */
  controls: (field: MeasuredField) => Series[];
  /** Index of the minute of the change. */
  change: number;
}

export interface Verdict {
  /** At equal load, against the neighbours. */
  realized_saving_kw: number;
  realized_std_error_kw: number;
  /** What became worse; null if nothing did. */
  worsened: string | null;
}

/**
 * Judges a change by what it did to its rack, beyond what happened to the row's other racks and beyond noise.
 *
 * @param predicted what the change was expected to do: up to it, nothing counts as worse
 * @returns null where a value that the comparison needs is not known
 */
export function judge(
  row: RowMinutes,
  predicted: Pick<Prediction, "inlet_c" | "latency_p95_ms" | "power_rise_kw">,
): Verdict | null {
  const { own, controls, change } = row;
  const effectOf = (field: "inlet_c" | "latency_p95_ms") =>
    measureEffect(own(field), controls(field), change, PRIOR_STD[field]);
  const inlet = effectOf("inlet_c");
  const latency = effectOf("latency_p95_ms");
  const energy = energyEffect(row);
  if (!inlet || !latency || !energy) return null;
  const worsened = isWorse(inlet, predicted.inlet_c, INLET_RISE_MIN_C)
    ? `inlet rose by ${said(inlet, 2)} °C`
    : isWorse(latency, predicted.latency_p95_ms, LATENCY_GROWTH_MIN * latency.before)
      ? `p95 rose by ${said(latency, 1)} ms`
      : isWorse(
            energy.effect,
            energy.effect.before + (predicted.power_rise_kw ?? 0),
            ENERGY_GROWTH_MIN * energy.pdu_kw,
          )
        ? `power at equal load rose by ${said(energy.effect, 3)} kW`
        : null;
  return {
    realized_saving_kw: -energy.effect.effect,
    realized_std_error_kw: energy.effect.std_error,
    worsened,
  };
}

/** @param expected the value that was predicted; a rise up to it was accepted when the change was made */
function isWorse(effect: Effect, expected: number, least: number): boolean {
  const accepted = Math.max(0, expected - effect.before);
  return effect.effect - accepted > Math.max(ERRORS_MIN * effect.std_error, least);
}

const said = ({ effect, std_error }: Effect, digits: number) =>
  `${effect.toFixed(digits)} ± ${std_error.toFixed(digits)}`;

/** Power less what the load explains of it, by the row's own slope of power over load before the change. */
function energyEffect({ own, controls, change }: RowMinutes): { effect: Effect; pdu_kw: number } | null {
  const racks = [
    { power: own("pdu_kw"), load: own("tokens_ps") },
    ...zip(controls("pdu_kw"), controls("tokens_ps")),
  ];
  const slope = pooledSlope(racks, change);
  const atEqualLoad = ({ power, load }: { power: Series; load: Series }): Series =>
    power.map((kw, t) => {
      const tokens_ps = load[t] ?? null;
      return kw === null || tokens_ps === null ? null : kw - slope * tokens_ps;
    });
  const [first, ...others] = racks.map(atEqualLoad);
  const effect = measureEffect(first!, others, change, PRIOR_STD.pdu_kw);
  const power = measureEffect(own("pdu_kw"), [], change, PRIOR_STD.pdu_kw);
  return effect && power && { effect, pdu_kw: power.before };
}

function zip(power: readonly Series[], load: readonly Series[]) {
  return power.map((series, i) => ({ power: series, load: load[i]! }));
}

/** Slope within racks, kW per token/s, over the minutes before the change; 0 where the load did not vary. */
function pooledSlope(racks: readonly { power: Series; load: Series }[], change: number): number {
  let covariance = 0;
  let variance = 0;
  for (const { power, load } of racks) {
    const pairs = power
      .slice(0, change)
      .map((kw, t) => [kw, load[t] ?? null] as const)
      .filter((pair): pair is readonly [number, number] => pair[0] !== null && pair[1] !== null);
    const mean_kw = pairs.reduce((sum, [kw]) => sum + kw, 0) / pairs.length;
    const mean_ps = pairs.reduce((sum, [, ps]) => sum + ps, 0) / pairs.length;
    for (const [kw, ps] of pairs) {
      covariance += (kw - mean_kw) * (ps - mean_ps);
      variance += (ps - mean_ps) ** 2;
    }
  }
  return variance > 0 ? Math.max(0, covariance / variance) : 0;
}

const MINUTE_MS = 60_000;

/**
 * Lays the minutes of a row on one axis that ends with the last complete minute.
 *
 * @param controls racks to compare with
 */
export function rowMinutes(
  minutes: readonly RackMinute[],
  rack_id: string,
  controls: readonly string[],
  span: { from_ms: number; to_ms: number; change_ms: number },
): RowMinutes {
  const first_ms = Math.floor(span.from_ms / MINUTE_MS) * MINUTE_MS;
  const length = Math.max(0, Math.floor(span.to_ms / MINUTE_MS) - first_ms / MINUTE_MS);
  const by_rack = new Map<string, (RackMinute | null)[]>();
  for (const id of [rack_id, ...controls]) by_rack.set(id, new Array(length).fill(null));
  for (const minute of minutes) {
    const t = (minute.minute_ms - first_ms) / MINUTE_MS;
    const of_rack = by_rack.get(minute.rack_id);
    if (of_rack && t >= 0 && t < length) of_rack[t] = minute;
  }
  const series = (id: string, field: MeasuredField): Series =>
    by_rack.get(id)!.map((minute) => minute?.mean[field] ?? null);
  return {
    own: (field) => series(rack_id, field),
    controls: (field) => controls.map((id) => series(id, field)),
    change: Math.floor(span.change_ms / MINUTE_MS) - first_ms / MINUTE_MS,
  };
}
