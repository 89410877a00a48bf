import { deltaT, gpuPowerKw, type Measured } from "../contracts/telemetry.ts";
import { FEATURES } from "./features.ts";

/** Writes the 10 features of a sample into `out`, in the units of their names; NaN where a quantity is missing. */
export function toFeatures(
  sample: Measured & { interval_s: number },
  out: Float64Array = new Float64Array(FEATURES.length),
): Float64Array {
  out[0] = sample.inlet_c ?? Number.NaN;
  out[1] = sample.outlet_c ?? Number.NaN;
  out[2] = deltaT(sample);
  out[3] = sample.pdu_kw ?? Number.NaN;
  out[4] = gpuPowerKw(sample);
  out[5] = sample.tokens_ps ?? Number.NaN;
  out[6] = sample.latency_p95_ms ?? Number.NaN;
  out[7] = sample.queue_depth ?? Number.NaN;
  out[8] = sample.fan_rpm_pct ?? Number.NaN;
  out[9] = sample.pump_rpm_pct ?? Number.NaN;
  return out;
}
