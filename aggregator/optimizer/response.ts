import { mean, minuteStd, type Series } from "./effect.ts";

/** What a fan or pump did after it was asked for a speed. */
export type Response =
  /** It went there, or is on its way. */
  | "follows"
  /** It moved away from what was asked. */
  | "opposite"
  /** It stayed where it was. */
  | "nothing"
  /** The rack's own protection may keep it faster than was asked, and then it should. */
  | "protecting"
  /** Too early, or too small a change against the noise. */
  | "unclear";

export interface Asked {
  to: number;
  /** null: the device's own control set it before. */
  from: number | null;
}

/** The device's measured speed, and what tells whether the rack has more heat to remove than before. */
export interface ResponseSeries {
  speed_pct: Series;
  tokens_ps: Series;
  outlet_c: Series;
}

/** Speeds before the change, averaged over this time: longer, and the device's own control would have moved them. */
const BEFORE_MINUTES = 5;
/** Speed of one minute scatters by about this where it is not known better. */
const SPEED_PRIOR_STD_PCT = 1.5;
/** Moving away counts from these on: standard errors, and points. */
const AWAY_ERRORS = 4;
const AWAY_MIN_PCT = 2;
/** Standing still is told by less than half of the way, by this many standard errors, and only of a real request. */
const STILL_ERRORS = 3.5;
const STILL_ASKED_MIN_PCT = 3;
/**
 * How much faster than before a rack's own protection may run a device: by twice the growth of its load, or by this
 * much per kelvin that its outlet warmed, whichever is more.
 */
const SPEED_PER_LOAD = 2;
const SPEED_PCT_PER_K = 4;
/** What was set below its own control is held up to this much above what was asked. */
const PROTECTION_PCT = 12;
/** A device under its own control goes at least this much lower before protection holds it. */
const PROTECTION_MIN_PCT = 8;

/** @param change index of the minute in which the speed was set; it counts neither as before nor as after */
export function judgeResponse(asked: Asked, series: ResponseSeries, change: number): Response {
  const { speed_pct } = series;
  const before = mean(speed_pct, change - BEFORE_MINUTES, change);
  const after = mean(speed_pct, change + 1, speed_pct.length);
  if (!before || !after) return "unclear";
  const std = minuteStd(speed_pct.slice(0, change), SPEED_PRIOR_STD_PCT);
  const std_error = std * Math.sqrt(1 / before.n + 1 / after.n);
  const asked_pct = asked.to - before.value;
  const farther_pct = Math.abs(after.value - asked.to) - Math.abs(asked_pct);
  const noise_pct = AWAY_ERRORS * std_error;
  const protecting = after.value > asked.to && after.value < ceilingPct(asked, series, change) + noise_pct;
  if (farther_pct > Math.max(noise_pct, AWAY_MIN_PCT)) return protecting ? "protecting" : "opposite";
  if (Math.abs(asked_pct) < STILL_ASKED_MIN_PCT) return "unclear";
  const moved_pct = (after.value - before.value) * Math.sign(asked_pct);
  const missing_pct = Math.abs(asked_pct) / 2 - moved_pct;
  if (missing_pct > STILL_ERRORS * std_error) {
    return protecting && mayBeHeld(asked, asked_pct) ? "protecting" : "nothing";
  }
  return missing_pct < -STILL_ERRORS * std_error ? "follows" : "unclear";
}

/** As fast as the rack's own protection may run the device by now. */
function ceilingPct(
  asked: Asked,
  { speed_pct, tokens_ps, outlet_c }: ResponseSeries,
  change: number,
): number {
  const before = (series: Series) => mean(series, change - BEFORE_MINUTES, change)?.value;
  const growth = (series: Series) => {
    const level = before(series);
    const peak = mean(series, Math.max(change + 1, series.length - 2), series.length)?.value;
    return level === undefined || peak === undefined
      ? { share: 0, rise: 0 }
      : { share: peak / level - 1, rise: peak - level };
  };
  const speed = before(speed_pct) ?? 100;
  const by_load_pct = SPEED_PER_LOAD * speed * Math.max(0, growth(tokens_ps).share);
  const by_heat_pct = SPEED_PCT_PER_K * Math.max(0, growth(outlet_c).rise);
  return speed + Math.max(by_load_pct, by_heat_pct) + (asked.from === null ? 0 : PROTECTION_PCT);
}

/** Below what its own control would choose, a device goes only so far; and with more heat, not even there. */
function mayBeHeld({ from }: Asked, asked_pct: number): boolean {
  return asked_pct < 0 && (from !== null || asked_pct < -PROTECTION_MIN_PCT);
}
