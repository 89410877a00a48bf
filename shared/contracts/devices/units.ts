import * as z from "zod";
import type { MeasuredField } from "../telemetry.ts";

/**
 * How a unit of a device becomes one of ours.
 * `gauge` holds at an instant; `counter` grows for ever, and its rate is what counts; `delta` is what came since
 * the device was last read, and its rate is what counts.
 */
export interface UnitRule {
  dimension: "temperature" | "power" | "speed" | "rate" | "time" | "count";
  kind: "gauge" | "counter" | "delta";
  /** ours = raw × factor + offset; temperatures °C, powers W, speeds %, rates 1/s, times ms. */
  factor: number;
  offset: number;
}

const gauge = (dimension: UnitRule["dimension"], factor = 1, offset = 0): UnitRule => ({
  dimension,
  kind: "gauge",
  factor,
  offset,
});
const counter = (dimension: UnitRule["dimension"], factor = 1): UnitRule => ({
  dimension,
  kind: "counter",
  factor,
  offset: 0,
});

export const UNIT_RULES = {
  celsius: gauge("temperature"),
  fahrenheit: gauge("temperature", 5 / 9, -160 / 9),
  kelvin: gauge("temperature", 1, -273.15),
  watt: gauge("power"),
  kilowatt: gauge("power", 1_000),
  milliwatt: gauge("power", 0.001),
  /** Energy counters: their rate is a power. */
  joule: counter("power"),
  millijoule: counter("power", 0.001),
  watt_hour: counter("power", 3_600),
  kilowatt_hour: counter("power", 3_600_000),
  joule_since_read: { dimension: "power", kind: "delta", factor: 1, offset: 0 },
  percent: gauge("speed"),
  ratio: gauge("speed", 100),
  /** Needs `full_scale_rpm`. */
  rpm: gauge("speed"),
  per_second: gauge("rate"),
  /** A counter of events or tokens. */
  total: counter("rate"),
  millisecond: gauge("time"),
  second: gauge("time", 1_000),
  microsecond: gauge("time", 0.001),
  count: gauge("count"),
} as const satisfies Record<string, UnitRule>;

export const Unit = z.enum(Object.keys(UNIT_RULES) as [Unit, ...Unit[]]);
export type Unit = keyof typeof UNIT_RULES;

/** What each telemetry field is made from, and its own unit where a point names none. */
export const FIELD_UNITS: Record<MeasuredField, { dimension: UnitRule["dimension"]; unit: Unit }> = {
  inlet_c: { dimension: "temperature", unit: "celsius" },
  outlet_c: { dimension: "temperature", unit: "celsius" },
  pdu_kw: { dimension: "power", unit: "kilowatt" },
  gpu_energy_j: { dimension: "power", unit: "joule_since_read" },
  tokens_ps: { dimension: "rate", unit: "per_second" },
  latency_p95_ms: { dimension: "time", unit: "millisecond" },
  queue_depth: { dimension: "count", unit: "count" },
  fan_rpm_pct: { dimension: "speed", unit: "percent" },
  pump_rpm_pct: { dimension: "speed", unit: "percent" },
};

/** The units that a field can be read in. */
export function unitsOf(field: MeasuredField): Unit[] {
  const { dimension } = FIELD_UNITS[field];
  return (Object.keys(UNIT_RULES) as Unit[]).filter((unit) => UNIT_RULES[unit].dimension === dimension);
}
