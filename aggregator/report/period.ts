import { skadiError } from "../../shared/errors.ts";
import { isoTime } from "../../shared/time.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A longer period would keep the aggregator from its other work for seconds. */
const PERIOD_MAX_MS = 31 * DAY_MS;
const STEPS_MAX = 300;
const STEPS_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180];

/** What a report is about: [from_ms, to_ms), in steps that a picture can show. */
export interface Period {
  from_ms: number;
  to_ms: number;
  step_ms: number;
  /** It ends now, so the state at its end is the present one. */
  live: boolean;
}

/**
 * The period from `from_ms` to `to_ms`; by default the 24 hours before `to_ms`, which is now by default.
 *
 * @throws SkadiError SKADI_INVALID_FIELD where it is empty, or longer than 31 days
 */
export function reportPeriod(
  { from_ms, to_ms }: { from_ms?: number | undefined; to_ms?: number | undefined },
  now_ms: number,
): Period {
  const end_ms = to_ms ?? now_ms;
  const begin_ms = from_ms ?? end_ms - DAY_MS;
  const length_ms = end_ms - begin_ms;
  if (!(length_ms > 0 && length_ms <= PERIOD_MAX_MS)) {
    throw skadiError("SKADI_INVALID_FIELD", {
      field: "from",
      value: isoTime(begin_ms),
      expected: `an instant before \`to\` (${isoTime(end_ms)}), by at most 31 days`,
    });
  }
  const minutes = STEPS_MINUTES.find((step) => length_ms / (step * MINUTE_MS) <= STEPS_MAX);
  const step_ms = (minutes ?? STEPS_MINUTES.at(-1)!) * MINUTE_MS;
  return { from_ms: begin_ms, to_ms: end_ms, step_ms, live: to_ms === undefined || to_ms >= now_ms };
}

/** The steps of the period, as the store's rollups are grouped: multiples of the step since the epoch. */
export function stepsOf({ from_ms, to_ms, step_ms }: Period): number[] {
  const first = Math.floor(from_ms / step_ms);
  const count = Math.ceil(to_ms / step_ms) - first;
  return Array.from({ length: count }, (_, i) => (first + i) * step_ms);
}
