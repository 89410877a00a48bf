import { bufferState } from "../workload/serving.ts";
import type { SensorFault } from "./faults.ts";
import { noiseSource } from "./noise.ts";
import type { PlantParameters } from "./parameters.ts";
import type { Racks } from "./racks.ts";

export const SENSOR_FIELDS = [
  "inlet_c",
  "outlet_c",
  "pdu_kw",
  "gpu_energy_j_total",
  "tokens_ps",
  "latency_p95_ms",
  "queue_depth",
  "fan_rpm_pct",
  "pump_rpm_pct",
] as const;
export type SensorField = (typeof SENSOR_FIELDS)[number];

/** What a rack's sensors say at one instant; null where a sensor gives no answer. */
export type SensorReadings = Record<SensorField, number | null>;

/** Lag of the sensing elements: a sheathed thermistor in moving air, and the PDU meter's averaging. */
const INLET_LAG_S = 2;
const OUTLET_LAG_S = 2;
const METER_LAG_S = 1;
/** Slow enough to see past eddies; only the regime label uses it. */
const SLOW_LAG_S = 30;

/**
 * White noise (standard deviation) and resolution of one reading; `span` scales drift and spikes. The noise is what
 * a single second shows, far more than a probe's own error: air temperatures are read in unmixed streams, a p95
 * is interpolated in histogram buckets, fan controllers hunt. The mean of five readings is √5 quieter.
 */
const SENSORS: Record<SensorField, { noise: number; resolution: number; span: number }> = {
  inlet_c: { noise: 1.2, resolution: 0.1, span: 8 },
  outlet_c: { noise: 2.6, resolution: 0.1, span: 12 },
  pdu_kw: { noise: 0.4, resolution: 0.01, span: 5 },
  gpu_energy_j_total: { noise: 0, resolution: 1, span: 1_000_000 },
  tokens_ps: { noise: 60, resolution: 1, span: 6_000 },
  latency_p95_ms: { noise: 35, resolution: 0.1, span: 150 },
  queue_depth: { noise: 10, resolution: 1, span: 80 },
  fan_rpm_pct: { noise: 5, resolution: 0.1, span: 30 },
  pump_rpm_pct: { noise: 4.5, resolution: 0.1, span: 25 },
};

/** Each sensor's own stream of noise. */
const CHANNELS = Object.fromEntries(SENSOR_FIELDS.map((field, f) => [field, f])) as Record<
  SensorField,
  number
>;

/** A drift of severity 1 reaches the span in this time; a spike of severity 1 hits this share of the readings. */
const DRIFT_S = 600;
const SPIKE_SHARE = 0.2;

export interface ActiveSensorFault {
  fault: SensorFault;
  since_ms: number;
  /** The reading at that instant. */
  before: number | null;
}

/** Lets the sensing elements follow the truth for one step. */
export function followSensors(racks: Racks, dt_s: number): void {
  const inlet = 1 - Math.exp(-dt_s / INLET_LAG_S);
  const outlet = 1 - Math.exp(-dt_s / OUTLET_LAG_S);
  const meter = 1 - Math.exp(-dt_s / METER_LAG_S);
  const slow = 1 - Math.exp(-dt_s / SLOW_LAG_S);
  for (let i = 0; i < racks.count; i++) {
    racks.inlet_sensed_c[i]! += inlet * (racks.inlet_c[i]! - racks.inlet_sensed_c[i]!);
    racks.outlet_sensed_c[i]! += outlet * (racks.outlet_c[i]! - racks.outlet_sensed_c[i]!);
    racks.pdu_sensed_kw[i]! += meter * (racks.it_kw[i]! + racks.fan_kw[i]! - racks.pdu_sensed_kw[i]!);
    racks.inlet_slow_c[i]! += slow * (racks.inlet_c[i]! - racks.inlet_slow_c[i]!);
  }
}

export interface SensorReader {
  /** Readings of rack `i`; the same instant always gives the same readings, whoever asks and however often. */
  read(i: number, now_ms: number, faults: readonly ActiveSensorFault[]): SensorReadings;
}

export function createSensorReader(racks: Racks, seed: number, p: PlantParameters): SensorReader {
  const noise = noiseSource(seed);
  const buffer = { mean: 0, variance: 0, blocked_share: 0 };

  /**
   * Standard error of a 95th percentile over the batches that one second completes:
   * √(p(1−p)/n) ÷ density, with the density of an exponential wait, 0.05 ÷ mean (Kendall & Stuart §10.10).
   */
  const p95Error = (i: number): number => {
    const batches = Math.max(1, racks.served_tokens_ps[i]! / p.batch_tokens);
    const mean_wait_ms = racks.wait_ms[i]! / 3;
    return Math.sqrt((0.05 * 0.95) / batches) * (mean_wait_ms / 0.05);
  };

  /** The queue gauge is an instant of a fluctuating buffer, not its mean. */
  const gaugeSpread = (i: number): number => {
    bufferState(racks.utilisation[i]!, p.buffer_batches, buffer);
    return (Math.sqrt(buffer.variance) * p.batch_tokens) / p.slice_tokens;
  };

  return {
    read(i, now_ms, faults) {
      const value = (field: SensorField, truth: number, spread = SENSORS[field].noise) => {
        const { resolution } = SENSORS[field];
        const noisy = truth + spread * noise.normal(now_ms, i, CHANNELS[field]);
        return Math.round(noisy / resolution) * resolution;
      };
      const p95_spread_ms = Math.hypot(SENSORS.latency_p95_ms.noise, p95Error(i));
      const queue_spread = Math.hypot(SENSORS.queue_depth.noise, gaugeSpread(i));
      const readings: SensorReadings = {
        inlet_c: tidy(value("inlet_c", racks.inlet_sensed_c[i]!)),
        outlet_c: tidy(value("outlet_c", racks.outlet_sensed_c[i]!)),
        pdu_kw: tidy(Math.max(0, value("pdu_kw", racks.pdu_sensed_kw[i]!))),
        gpu_energy_j_total: Math.floor(racks.gpu_energy_j[i]!),
        tokens_ps: Math.max(0, value("tokens_ps", racks.served_tokens_ps[i]!)),
        latency_p95_ms: tidy(Math.max(1, value("latency_p95_ms", racks.latency_p95_ms[i]!, p95_spread_ms))),
        queue_depth: Math.max(1, value("queue_depth", racks.queue_depth[i]!, queue_spread)),
        fan_rpm_pct: tidy(percent(value("fan_rpm_pct", racks.fan_pct[i]!))),
        pump_rpm_pct: tidy(percent(value("pump_rpm_pct", racks.pump_pct[i]!))),
      };
      for (const active of faults) {
        const { field } = active.fault;
        const channel = SENSOR_FIELDS.length + CHANNELS[field];
        readings[field] = disturb(active, readings[field], now_ms, noise.uniform(now_ms, i, channel));
      }
      return readings;
    },
  };
}

function disturb(
  active: ActiveSensorFault,
  value: number | null,
  now_ms: number,
  chance: number,
): number | null {
  const { kind, field, severity } = active.fault;
  if (value === null) return null;
  const span = SENSORS[field].span;
  switch (kind) {
    case "sensor_stuck":
      return active.before;
    case "sensor_drift":
      return tidy(value + (span * severity * (now_ms - active.since_ms)) / 1000 / DRIFT_S);
    case "sensor_dropout":
      return chance < severity ? null : value;
    case "sensor_spike":
      return chance < SPIKE_SHARE * severity ? tidy(value + span) : value;
  }
}

function percent(value: number): number {
  return Math.max(0, Math.min(100, value));
}

/** Removes the binary dust of rounding to a decimal resolution. */
function tidy(value: number): number {
  return Math.round(value * 1000) / 1000;
}
