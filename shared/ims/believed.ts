import { MEASURED_FIELDS, type TelemetrySample } from "../contracts/telemetry.ts";

/** The sample as it should be scored: readings of quality `suspect` count as missing. */
export function believed(sample: TelemetrySample): TelemetrySample {
  const suspects = MEASURED_FIELDS.filter((field) => sample.quality[field] === "suspect");
  if (suspects.length === 0) return sample;
  return { ...sample, ...Object.fromEntries(suspects.map((field) => [field, null])) };
}
