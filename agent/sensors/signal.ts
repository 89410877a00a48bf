import type { Aggregate, CommonPoint } from "../../shared/contracts/devices/common.ts";
import { FIELD_UNITS, UNIT_RULES } from "../../shared/contracts/devices/units.ts";
import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import { type PointReading, SAME_INSTANT_MS } from "./device.ts";
import { type Doubt, type Part, silentParts } from "./silent-parts.ts";

/**
 * How the numbers of several outlets, probes or devices become one: powers and loads add up; of temperatures and
 * latencies the worst inlet counts, because that is what the limit protects.
 */
const FIELD_AGGREGATE: Record<MeasuredField, Aggregate> = {
  inlet_c: "max",
  outlet_c: "mean",
  pdu_kw: "sum",
  gpu_energy_j: "sum",
  tokens_ps: "sum",
  latency_p95_ms: "max",
  queue_depth: "sum",
  fan_rpm_pct: "mean",
  pump_rpm_pct: "mean",
};

/** Of these a part that is left out could be the one that the limit is for. */
const TEMPERATURES: ReadonlySet<MeasuredField> = new Set(["inlet_c", "outlet_c"]);

/** Several parts made one. */
export interface Combined {
  /** null where nothing spoke, or a sum is not whole. */
  value: number | null;
  /** What the silence of some parts makes of it. */
  doubt: Doubt | undefined;
}

/**
 * Makes one number of a field's parts, read after read; of a temperature it remembers what each part said.
 *
 * @param chosen how, where not in the field's own way
 * @param empty_places see `silentParts`
 */
export function combiner(
  field: MeasuredField,
  chosen?: Aggregate,
  empty_places = false,
): (parts: readonly Part[]) => Combined {
  const how = chosen ?? FIELD_AGGREGATE[field];
  if (how === "sum" || !TEMPERATURES.has(field)) {
    return (parts) => ({
      value: aggregate(
        parts.map(({ value }) => value),
        how,
      ),
      doubt: undefined,
    });
  }
  const complete = silentParts(empty_places);
  return (parts) => {
    const { values, doubt } = complete(parts);
    return { value: aggregate(values, how), doubt };
  };
}

/** One number of several; null where nothing spoke. A sum with a silent part would be too small: it is null too. */
export function aggregate(values: readonly (number | null)[], how: Aggregate): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0 || (how === "sum" && known.length < values.length)) return null;
  if (how === "max") return Math.max(...known);
  if (how === "min") return Math.min(...known);
  const sum = known.reduce((total, value) => total + value, 0);
  return how === "sum" ? sum : sum / known.length;
}

/** Turns the raw readings of one point into the field's quantity: °C, kW, W (for energies), 1/s, ms, % or a count. */
export type Signal = (at_ms: number, reading: PointReading) => Combined;

/** A counter that is not read for this long may have wrapped or restarted more than once. */
const COUNTER_GAP_MS = 600_000;

/**
 * Counters and deltas become rates, each part by itself, so that an outlet that restarts spoils no sum. A counter that
 * went back has restarted: its rate is unknown until the next reading.
 */
export function pointSignal(point: CommonPoint): Signal {
  const { field, scale, offset, full_scale_rpm } = point;
  const unit = point.unit ?? FIELD_UNITS[field].unit;
  const rule = UNIT_RULES[unit];
  // A device's table has places for more probes than are plugged in; a point of its own is there to be heard.
  const combine = combiner(field, point.aggregate, true);
  // Powers are in W up to here; the PDU's field is in kW.
  const per_field = field === "pdu_kw" ? 0.001 : 1;
  const factor = (unit === "rpm" ? 100 / (full_scale_rpm ?? Number.NaN) : rule.factor) * per_field;
  const converted = (raw: number) => (raw * scale + offset) * factor + rule.offset * per_field;
  let previous: { at_ms: number; values: readonly (number | null)[] } | null = null;
  let combined: Combined = { value: null, doubt: undefined };

  return (at_ms, { values, suspect = false }) => {
    const before = previous;
    // The same message, read again: the counter has not stood still, its rate still holds.
    if (before !== null && Math.abs(at_ms - before.at_ms) < SAME_INSTANT_MS) return combined;
    if (rule.kind !== "gauge") previous = { at_ms, values };
    const own = values.map((raw, part) => {
      if (raw === null || !Number.isFinite(raw)) return null;
      if (rule.kind === "gauge") return converted(raw);
      const span_ms = before === null ? Number.NaN : at_ms - before.at_ms;
      if (!(span_ms > 0 && span_ms <= COUNTER_GAP_MS)) return null;
      if (rule.kind === "delta") return (converted(raw) / span_ms) * 1000;
      const last = before?.values[part];
      if (last === null || last === undefined || raw < last) return null;
      return ((raw - last) * scale * factor * 1000) / span_ms;
    });
    combined = combine(own.map((value) => ({ value, at_ms, suspect })));
    return combined;
  };
}
