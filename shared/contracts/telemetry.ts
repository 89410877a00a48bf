import * as z from "zod";
import { Timestamp, Version } from "./envelope.ts";
import { RackId } from "./rack.ts";

/** The measured quantities of one rack at one instant, in the order of the CSV files. */
export const MEASURED_FIELDS = [
  "inlet_c",
  "outlet_c",
  "pdu_kw",
  "gpu_energy_j",
  "tokens_ps",
  "latency_p95_ms",
  "queue_depth",
  "fan_rpm_pct",
  "pump_rpm_pct",
] as const;
export type MeasuredField = (typeof MEASURED_FIELDS)[number];

/** `good` as read; `stale` older than its deadline; `missing` not read; `suspect` read but not believed. */
const Quality = z.enum(["good", "stale", "missing", "suspect"]);
type Quality = z.infer<typeof Quality>;

/** What a sensor of each quantity can physically report; anything else is a wiring or unit error. */
export const FIELD_RANGE: Record<MeasuredField, readonly [low: number, high: number]> = {
  inlet_c: [-40, 120],
  outlet_c: [-40, 150],
  pdu_kw: [0, 1_000],
  gpu_energy_j: [0, 1e12],
  tokens_ps: [0, 1e9],
  latency_p95_ms: [0, 1e7],
  queue_depth: [0, 1e9],
  fan_rpm_pct: [0, 100],
  pump_rpm_pct: [0, 100],
};

const measured = (field: MeasuredField) =>
  z.number().min(FIELD_RANGE[field][0]).max(FIELD_RANGE[field][1]).nullable();

const measuredShape = {
  inlet_c: measured("inlet_c"),
  outlet_c: measured("outlet_c"),
  pdu_kw: measured("pdu_kw"),
  gpu_energy_j: measured("gpu_energy_j"),
  tokens_ps: measured("tokens_ps"),
  latency_p95_ms: measured("latency_p95_ms"),
  queue_depth: measured("queue_depth"),
  fan_rpm_pct: measured("fan_rpm_pct"),
  pump_rpm_pct: measured("pump_rpm_pct"),
};

/** What the sensors of one rack said: null where a quantity could not be read. */
export const Measured = z.object(measuredShape);
export type Measured = z.infer<typeof Measured>;

/** Outside these years it was not a clock that was read. */
const FIRST_MS = Date.UTC(2000, 0);
const LAST_MS = Date.UTC(2200, 0);
const MeasuredAt = Timestamp.refine(
  (ts) => Date.parse(ts) >= FIRST_MS && Date.parse(ts) < LAST_MS,
  "an instant in the years 2000 to 2199",
);

/** Shorter or longer than this, an energy over the interval says nothing about power. */
const IntervalS = z.number().min(0.001).max(86_400);

const QualityMap = z.partialRecord(z.enum(MEASURED_FIELDS), Quality);
type QualityMap = z.infer<typeof QualityMap>;

/**
 * One rack at one instant, as accepted at every edge. Writers may leave out `v` (1), `seq` (the timestamp in
 * milliseconds, so that a repeated sample is recognised), `interval_s` (from `gpu_power_kw` if given, else 5)
 * and `quality` (good). Unknown fields are ignored.
 */
export const TelemetryInput = z.object({
  v: Version,
  ts: MeasuredAt,
  rack_id: RackId,
  ...measuredShape,
  seq: z.int().min(0).optional(),
  interval_s: IntervalS.optional(),
  gpu_power_kw: z.number().min(0).max(1_000).optional(),
  quality: QualityMap.optional(),
});
export type TelemetryInput = z.infer<typeof TelemetryInput>;

/** The normalised sample that all of Skadi works with. `gpu_energy_j` is the energy since the last sample. */
export const TelemetrySample = TelemetryInput.transform(normaliseTelemetry);
export type TelemetrySample = z.infer<typeof TelemetrySample>;

const DEFAULT_INTERVAL_S = 5;

function normaliseTelemetry(input: TelemetryInput) {
  const { gpu_power_kw, quality, ...rest } = input;
  return {
    ...rest,
    ts: new Date(input.ts).toISOString(),
    seq: input.seq ?? Math.max(0, Date.parse(input.ts)),
    interval_s: input.interval_s ?? intervalFromPower(input.gpu_energy_j, gpu_power_kw) ?? DEFAULT_INTERVAL_S,
    quality: completeQuality(input, quality ?? {}),
  };
}

/** Rows of a data set carry both energy and power, which together say how long the tick was. */
function intervalFromPower(energy_j: number | null, power_kw: number | undefined): number | undefined {
  if (energy_j === null || power_kw === undefined || power_kw <= 0 || energy_j <= 0) return undefined;
  const interval = IntervalS.safeParse(energy_j / 1000 / power_kw);
  return interval.success ? interval.data : undefined;
}

function completeQuality(values: Measured, given: QualityMap): Record<MeasuredField, Quality> {
  const quality = {} as Record<MeasuredField, Quality>;
  for (const field of MEASURED_FIELDS) {
    quality[field] = values[field] === null ? "missing" : (given[field] ?? "good");
  }
  return quality;
}

/** Outlet minus inlet in °C; NaN where either is missing. */
export function deltaT(sample: Pick<Measured, "inlet_c" | "outlet_c">): number {
  return (sample.outlet_c ?? Number.NaN) - (sample.inlet_c ?? Number.NaN);
}

/** Mean GPU power over the sample's interval in kW; NaN where the energy is missing. */
export function gpuPowerKw(sample: { gpu_energy_j: number | null; interval_s: number }): number {
  return (sample.gpu_energy_j ?? Number.NaN) / sample.interval_s / 1000;
}
