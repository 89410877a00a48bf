import type { RackTarget } from "../shared/contracts/action.ts";
import type { TelemetrySample } from "../shared/contracts/telemetry.ts";

/** Speeds that are also targets: while they are commanded, they say nothing of the rack's own habits. */
const SPEEDS = ["fan_rpm_pct", "pump_rpm_pct"] as const;

/**
 * The sample without the speeds that somebody commanded. A pump at 90 % because the guardrail asked for it is far from
 * nominal operation, but no deviation: counted as one, it would keep alive the alarm that it answers.
 *
 * @param setpoints in force; null: the device's own control
 */
export function uncommanded(
  sample: TelemetrySample,
  setpoints: Readonly<Record<RackTarget, number | null>>,
): TelemetrySample {
  if (!SPEEDS.some((speed) => setpoints[speed] !== null)) return sample;
  const seen = { ...sample };
  for (const speed of SPEEDS) if (setpoints[speed] !== null) seen[speed] = null;
  return seen;
}
