import type { RackTarget } from "../../shared/contracts/action.ts";
import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import type { RackMinute } from "../store/store.ts";
import { CONTROLS_MIN, type Effect, isKnownAround, mean, measureEffect, type Series } from "./effect.ts";
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
  /** At equal load, against the neighbours; null where power or load is not known. */
  realized_saving_kw: number | null;
  realized_std_error_kw: number | null;
  /** What became worse; null if nothing did. */
  worsened: string | null;
}

/**
 * Judges a change by what it did to its rack, beyond what happened to the row's other racks and beyond noise. What the
 * load explains is no work of a fan, a pump or a window; where traffic was moved, the load is the change's own work.
 * Each effect that is known counts, whatever is not.
 *
 * @param predicted what the change was expected to do: up to it, nothing counts as worse
 * @returns null where nothing that the change acts on is known
 */
export function judge(
  row: RowMinutes,
  predicted: Pick<Prediction, "inlet_c" | "latency_p95_ms" | "power_rise_kw">,
  target: RackTarget,
): Verdict | null {
  const moves_load = target === "routing_weight_pct" || target === "admission_pct";
  // A window acts on work alone: the air that enters the rack is none of its doing.
  const window = target === "batch_window_ms";
  const inlet = window ? null : effectOn(row, "inlet_c", moves_load);
  const latency = effectOn(row, "latency_p95_ms", moves_load);
  const energy = effectOn(row, "pdu_kw", false);
  const { inlet_c, latency_p95_ms, power_rise_kw = 0 } = predicted;
  const worsened =
    inlet && isWorse(inlet, inlet_c, INLET_RISE_MIN_C)
      ? `inlet rose by ${said(inlet, 2)} °C`
      : latency && isWorse(latency, latency_p95_ms, LATENCY_GROWTH_MIN * latency.before)
        ? `p95 rose by ${said(latency, 1)} ms`
        : energy && isWorse(energy, energy.before + power_rise_kw, ENERGY_GROWTH_MIN * energy.before)
          ? `power at equal load rose by ${said(energy, 3)} kW`
          : null;
  // What a window costs is latency: that it saves power says nothing about it.
  const judged = window ? latency : (inlet ?? latency ?? energy);
  if (!judged && !worsened) return null;
  return {
    realized_saving_kw: energy ? -energy.effect : null,
    realized_std_error_kw: energy ? energy.std_error : null,
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

/** A value of one rack, and the load that it stood under. */
interface Course {
  value: Series;
  load: Series;
}

/**
 * A value's change; unless the load is part of it, less what the row's own slope over load before explains. Where the
 * rack's load is not known, its power cannot be told from it, and the rest is compared as it is.
 *
 * @returns null where the value is not known before or after
 */
function effectOn(row: RowMinutes, field: keyof typeof PRIOR_STD, with_load: boolean) {
  const { own, change } = row;
  const rack = { value: own(field), load: own("tokens_ps") };
  const by_load = isKnownAround(rack.load, change);
  if (field === "pdu_kw" && !by_load) return null;
  // What sends nothing, or fell silent with the change, is no control.
  const coursesOf = (racks: RowMinutes["controls"]): Course[] =>
    zip(racks(field), racks("tokens_ps")).filter(
      ({ value, load }) => isKnownAround(value, change) && (!by_load || isKnownAround(load, change)),
    );
  const controls = coursesOf(row.controls);
  // Warm air and diverted traffic reach a whole row. Where hardly a rack of it was left unchanged, those that were changed
  // still tell of them; not of power, which most changes are made for.
  const few = field !== "pdu_kw" && controls.length < CONTROLS_MIN;
  const racks = [rack, ...(few ? coursesOf(row.others) : controls)];
  const slope = with_load || !by_load ? 0 : pooledSlope(racks, change);
  const compared = racks.map((course) => (by_load ? atEqualLoad(course, slope) : course.value));
  const [first, ...others] = compared;
  const effect =
    measureEffect(first!, others, change, PRIOR_STD[field]) ??
    measureEffect(first!, [], change, PRIOR_STD[field]);
  const level = measureEffect(own(field), [], change, PRIOR_STD[field]);
  return effect && level && { ...effect, before: level.before, after: level.after };
}

function atEqualLoad({ value, load }: Course, slope: number): Series {
  return value.map((measured, t) => {
    const tokens_ps = load[t] ?? null;
    return measured === null || tokens_ps === null ? null : measured - slope * tokens_ps;
  });
}

function zip(values: readonly Series[], load: readonly Series[]): Course[] {
  return values.map((series, i) => ({ value: series, load: load[i]! }));
}

/** Slope within racks, per token/s, over the minutes before the change; 0 where the load did not vary. */
function pooledSlope(racks: readonly Course[], change: number): number {
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
