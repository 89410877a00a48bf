import type { TelemetrySample } from "../../shared/contracts/telemetry.ts";

/**
 * What the slow loop believes of the machinery: deliberately simple, stated here, and checked after every action
 * against what happened (see outcome.ts), which is what makes simple good enough.
 */

/** Power of a rack's fans and pump at full speed. Affinity law: power ∝ rpm³ (ASHRAE Handbook, Fans; Pumps). */
const FAN_KW_AT_FULL = 0.6;
const PUMP_KW_AT_FULL = 0.25;
/** Share of a rack's heat that leaves by the cold plates; a slower pump sends that much more into the air. */
const LIQUID_SHARE = 0.3;
/** Cooling plant: coefficient of performance, and what it gains per °C of warmer supply air. */
const PLANT_COP = 4;
const COP_GAIN_PER_C = 0.025;
/** GPU energy saved per millisecond of a wider batching window; the window itself is waited in full. */
const BATCH_GAIN_PER_MS = 0.001;
/** Share of a rack's power that follows its traffic; the rest flows at idle too. */
const DYNAMIC_SHARE = 0.7;
/** Tokens per second at which a rack's queue grows without bound. */
const CAPACITY_TOKENS_PS = 16_000;
const UTILISATION_MAX = 0.95;

/** A sample without holes: nothing is predicted from values that are not there. */
export type FullSample = { [K in keyof TelemetrySample]: NonNullable<TelemetrySample[K]> };

export function isFull(sample: TelemetrySample): sample is TelemetrySample & FullSample {
  return Object.values(sample).every((value) => value !== null);
}

export interface Prediction {
  /** The sample as it would read after the change. */
  sample: FullSample;
  saving_kw: number;
}

const cube = (pct: number) => (pct / 100) ** 3;
const airHeat = (sample: FullSample) => sample.outlet_c - sample.inlet_c;

/** Slower fans: ΔT ∝ 1 / airflow, airflow ∝ rpm. */
export function withFan(sample: FullSample, to_pct: number): Prediction {
  const saving_kw = FAN_KW_AT_FULL * (cube(sample.fan_rpm_pct) - cube(to_pct));
  const outlet_c = sample.inlet_c + (airHeat(sample) * sample.fan_rpm_pct) / to_pct;
  const pdu_kw = sample.pdu_kw - saving_kw;
  return { saving_kw, sample: { ...sample, fan_rpm_pct: to_pct, outlet_c, pdu_kw } };
}

/** Slower pump: the heat that the cold plates no longer take goes into the air. */
export function withPump(sample: FullSample, to_pct: number): Prediction {
  const saving_kw = PUMP_KW_AT_FULL * (cube(sample.pump_rpm_pct) - cube(to_pct));
  const missed_share = LIQUID_SHARE * (1 - to_pct / sample.pump_rpm_pct);
  const outlet_c = sample.inlet_c + airHeat(sample) * (1 + missed_share / (1 - LIQUID_SHARE));
  const pdu_kw = sample.pdu_kw - saving_kw;
  return { saving_kw, sample: { ...sample, pump_rpm_pct: to_pct, outlet_c, pdu_kw } };
}

/** A wider batching window: fewer, fuller batches; in the worst case a prompt waits the whole window. */
export function withBatchWindow(sample: FullSample, added_ms: number): Prediction {
  const share = BATCH_GAIN_PER_MS * added_ms;
  const saving_kw = (sample.gpu_energy_j / sample.interval_s / 1000) * share;
  return {
    saving_kw,
    sample: {
      ...sample,
      gpu_energy_j: sample.gpu_energy_j * (1 - share),
      pdu_kw: sample.pdu_kw - saving_kw,
      latency_p95_ms: sample.latency_p95_ms + added_ms,
    },
  };
}

/** Warmer supply air: inlet and outlet follow 1:1. The saving is the plant's, not the rack's. */
export function withSupply(sample: FullSample, added_c: number): Prediction {
  const cooling_kw = sample.pdu_kw / PLANT_COP;
  const saving_kw = cooling_kw * (1 - 1 / (1 + COP_GAIN_PER_C * added_c));
  const { inlet_c, outlet_c } = sample;
  return { saving_kw, sample: { ...sample, inlet_c: inlet_c + added_c, outlet_c: outlet_c + added_c } };
}

/** Another load, `factor` times the present one: dynamic power and heat follow it, queueing as M/M/1. */
export function withTraffic(sample: FullSample, factor: number): Prediction {
  const before = utilisation(sample.tokens_ps);
  const after = utilisation(sample.tokens_ps * factor);
  const power_factor = 1 - DYNAMIC_SHARE + DYNAMIC_SHARE * factor;
  const stretch = (1 - before) / (1 - after);
  return {
    saving_kw: sample.pdu_kw * (1 - power_factor),
    sample: {
      ...sample,
      tokens_ps: sample.tokens_ps * factor,
      pdu_kw: sample.pdu_kw * power_factor,
      gpu_energy_j: sample.gpu_energy_j * power_factor,
      outlet_c: sample.inlet_c + airHeat(sample) * power_factor,
      latency_p95_ms: sample.latency_p95_ms * stretch,
      queue_depth: sample.queue_depth * stretch * factor,
    },
  };
}

const utilisation = (tokens_ps: number) => Math.min(UTILISATION_MAX, tokens_ps / CAPACITY_TOKENS_PS);
