import type { RackTarget } from "../../shared/contracts/action.ts";
import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import type { RackMinute } from "../store/store.ts";
import { CONTROLS_MIN, type Effect, mean, measureEffect, type Series } from "./effect.ts";
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
  /** All other racks of the row. */
  others: (field: MeasuredField) => Series[];
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
 * Judges a change by what it did to its rack, beyond what happened to the row's other racks and beyond noise. What the
 * load explains is no work of a fan, a pump or a window; where traffic was moved, the load is the change's own work.
 *
 * @param predicted what the change was expected to do: up to it, nothing counts as worse
 * @returns null where a value that the comparison needs is not known
 */
export function judge(
  row: RowMinutes,
  predicted: Pick<Prediction, "inlet_c" | "latency_p95_ms" | "power_rise_kw">,
  target: RackTarget,
): Verdict | null {
  const moves_load = target === "routing_weight_pct" || target === "admission_pct";
  const effectOf = (field: "inlet_c" | "latency_p95_ms") => effectOn(row, field, moves_load);
  const inlet = effectOf("inlet_c");
  const latency = effectOf("latency_p95_ms");
  const energy = effectOn(row, "pdu_kw", false);
  if (!inlet || !latency || !energy) return null;
  // A window acts on work alone: the air that enters the rack is none of its doing.
  const worsened =
    target !== "batch_window_ms" && isWorse(inlet, predicted.inlet_c, INLET_RISE_MIN_C)
      ? `inlet rose by ${said(inlet, 2)} °C`
      : isWorse(latency, predicted.latency_p95_ms, LATENCY_GROWTH_MIN * latency.before)
        ? `p95 rose by ${said(latency, 1)} ms`
        : isWorse(energy, energy.before + (predicted.power_rise_kw ?? 0), ENERGY_GROWTH_MIN * energy.before)
          ? `power at equal load rose by ${said(energy, 3)} kW`
          : null;
  return {
    realized_saving_kw: -energy.effect,
    realized_std_error_kw: energy.std_error,
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

/** A value's change; unless the load is part of it, less what the row's own slope over load before explains. */
function effectOn(row: RowMinutes, field: keyof typeof PRIOR_STD, with_load: boolean) {
  const { own, change } = row;
  // Warm air and diverted traffic reach a whole row. Where hardly a rack of it was left unchanged, those that were changed
  // still tell of them; not of power, which most changes are made for.
  const few = field !== "pdu_kw" && row.controls(field).length < CONTROLS_MIN;
  const compared = few ? row.others : row.controls;
  const racks = [
    { value: own(field), load: own("tokens_ps") },
    ...zip(compared(field), compared("tokens_ps")),
  ];
  const slope = with_load ? 0 : pooledSlope(racks, change);
  const atEqualLoad = ({ value, load }: { value: Series; load: Series }): Series =>
    value.map((measured, t) => {
      const tokens_ps = load[t] ?? null;
      return measured === null || tokens_ps === null ? null : measured - slope * tokens_ps;
    });
  const [first, ...others] = racks.map(atEqualLoad);
  const effect = measureEffect(first!, others, change, PRIOR_STD[field]);
  const level = measureEffect(own(field), [], change, PRIOR_STD[field]);
  return effect && level && { ...effect, before: level.before, after: level.after };
}

function zip(values: readonly Series[], load: readonly Series[]) {
  return values.map((series, i) => ({ value: series, load: load[i]! }));
}

/** Slope within racks, per token/s, over the minutes before the change; 0 where the load did not vary. */
function pooledSlope(racks: readonly { value: Series; load: Series }[], change: number): number {
  let covariance = 0;
  let variance = 0;
  for (const { value, load } of racks) {
    const measured: number[] = [];
    const tokens_ps: number[] = [];
    for (let t = 0; t < Math.min(change, value.length); t++) {
      const [at, load_at] = [value[t] ?? null, load[t] ?? null];
      if (at === null || load_at === null) continue;
      measured.push(at);
      tokens_ps.push(load_at);
    }
    const middle = mean(measured, 0, measured.length)?.value ?? 0;
    const middle_ps = mean(tokens_ps, 0, tokens_ps.length)?.value ?? 0;
    for (const [i, at] of measured.entries()) {
      covariance += (at - middle) * (tokens_ps[i]! - middle_ps);
      variance += (tokens_ps[i]! - middle_ps) ** 2;
    }
  }
  return variance > 0 ? Math.max(0, covariance / variance) : 0;
}

const MINUTE_MS = 60_000;

/**
 * Lays the minutes of a row on one axis that ends with the last complete minute.
 *
 * @param controls racks to compare with
 * @param others racks of the row, changed or not
 */
export function rowMinutes(
  minutes: readonly RackMinute[],
  rack_id: string,
  controls: readonly string[],
  span: { from_ms: number; to_ms: number; change_ms: number },
  others: readonly string[] = controls,
): RowMinutes {
  const first_ms = Math.floor(span.from_ms / MINUTE_MS) * MINUTE_MS;
  const length = Math.max(0, Math.floor(span.to_ms / MINUTE_MS) - first_ms / MINUTE_MS);
  const by_rack = new Map<string, (RackMinute | null)[]>();
  for (const id of [rack_id, ...controls, ...others]) by_rack.set(id, new Array(length).fill(null));
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
    others: (field) => others.map((id) => series(id, field)),
    change: Math.floor(span.change_ms / MINUTE_MS) - first_ms / MINUTE_MS,
  };
}
