import type { RackTarget } from "../shared/contracts/action.ts";
import type { HealthDescription, HealthField } from "../shared/contracts/health.ts";
import type { SensorAlarm } from "../shared/contracts/score.ts";
import { MEASURED_FIELDS, type MeasuredField, type TelemetrySample } from "../shared/contracts/telemetry.ts";
import {
  createHealthMonitor,
  type Departure,
  type HealthVerdict,
  type Suspicion,
} from "../shared/ims/sensor-health.ts";
import { toFeatures } from "../shared/ims/to-features.ts";

/** Commands that change how the quantities hang together; routing and admission only change the load. */
const INTERVENTIONS: readonly RackTarget[] = [
  "fan_rpm_pct",
  "pump_rpm_pct",
  "batch_window_ms",
  "power_cap_kw",
];
/** After a command is withdrawn, the thermal mass takes this long to forget it. */
const SETTLE_MS = 600_000;

/** What supervision makes of one sample. */
export interface Supervised {
  /** The sample with doubtful readings marked `suspect`. */
  sample: TelemetrySample;
  /** The same without those that the guardrail must not rely on. */
  guarded: TelemetrySample;
  departure: Departure | null;
  /** Sensors whose trouble lasts. */
  sensors: SensorAlarm[];
  /** The same, as `field: problem`; given only when they differ from the last sample's. */
  news: string[] | null;
}

export interface Supervisor {
  check(
    at_ms: number,
    sample: TelemetrySample,
    setpoints: Readonly<Record<RackTarget, number | null>>,
  ): Supervised;
}

/**
 * Supervises a rack's sensors.
 *
 * @param limit_c an inlet at or above this counts for the guardrail whatever is thought of its sensor
 */
export function createSupervisor(health: HealthDescription | null, limit_c: number): Supervisor {
  const monitor = createHealthMonitor(health);
  let intervened_ms = -Infinity;
  let known = "";
  return {
    check(at_ms, sample, setpoints) {
      if (INTERVENTIONS.some((target) => setpoints[target] !== null)) intervened_ms = at_ms;
      const verdict = monitor.check(at_ms, toFeatures(sample), at_ms - intervened_ms < SETTLE_MS);
      const named = [...new Set(verdict.alarms.map(({ field, problem }) => `${field}: ${problem}`))];
      const now_known = named.join();
      const news = now_known === known ? null : named;
      known = now_known;
      return {
        sample: marked(sample, verdict),
        guarded: guarded(sample, verdict.suspects, limit_c),
        departure: verdict.departure,
        sensors: verdict.alarms.map(({ field, problem }) => ({ field, problem })),
        news,
      };
    },
  };
}

/** What the guardrail is given where supervision itself fails: what the devices say, without what they doubt. */
export function unsupervised(sample: TelemetrySample, limit_c: number): Supervised {
  return { sample, guarded: guarded(sample, [], limit_c), departure: null, sensors: [], news: null };
}

function sensorOf(field: HealthField): MeasuredField {
  return field === "gpu_power_kw" ? "gpu_energy_j" : field;
}

function marked(sample: TelemetrySample, { suspects }: HealthVerdict): TelemetrySample {
  if (suspects.length === 0) return sample;
  const quality = { ...sample.quality };
  for (const { field } of suspects) quality[sensorOf(field)] = "suspect";
  return { ...sample, quality };
}

/**
 * Fail safe: a doubtful temperature is taken away from the guardrail only if it looks colder than predicted, so that
 * trusting it could hide heat; then the rack counts as blind and is cooled. One that looks hot may be wrong, but
 * cooling for nothing costs a little power and ignoring real heat costs a rack. A doubtful fan or pump speed is taken
 * away too: the guardrail sends a device of unknown speed to its maximum. Of what its own device doubts nothing is
 * predicted: it stays only if it is an inlet at the limit.
 */
function guarded(sample: TelemetrySample, suspects: readonly Suspicion[], limit_c: number): TelemetrySample {
  const delivered = MEASURED_FIELDS.filter((field) => sample.quality[field] === "suspect");
  const doubts: Doubt[] = [
    ...delivered.map((field) => ({ field, expected: Number.NaN })),
    ...suspects.map(({ field, expected }) => ({ field: sensorOf(field), expected })),
  ];
  const removed = doubts.filter((doubt) => !looksHot(sample, doubt, limit_c));
  if (removed.length === 0) return sample;
  return { ...sample, ...Object.fromEntries(removed.map(({ field }) => [field, null])) };
}

interface Doubt {
  field: MeasuredField;
  /** What it should read; NaN where nothing can be predicted. */
  expected: number;
}

function looksHot(sample: TelemetrySample, { field, expected }: Doubt, limit_c: number): boolean {
  if (field !== "inlet_c" && field !== "outlet_c") return false;
  const value = sample[field] ?? -Infinity;
  // A comparison with an unknown prediction is false: then only a value at the limit counts as hot.
  return value > expected || (field === "inlet_c" && value >= limit_c);
}
