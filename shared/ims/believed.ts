import { MEASURED_FIELDS, type TelemetrySample } from "../contracts/telemetry.ts";

/** The sample as it should be scored: readings of quality `suspect` count as missing. */
export function believed(sample: TelemetrySample): TelemetrySample {
  const { quality } = sample;
  if (!MEASURED_FIELDS.some((field) => quality[field] === "suspect")) return sample;
  const seen = { ...sample };
  for (const field of MEASURED_FIELDS) if (quality[field] === "suspect") seen[field] = null;
  return seen;
}
