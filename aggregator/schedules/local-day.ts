const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** No zone is further from UTC than 14 hours. */
const OFFSET_MAX_MS = 15 * HOUR_MS;

/** The date of an instant in a time zone, as YYYY-MM-DD. */
export function localDate(at_ms: number, timezone: string): string {
  // Sweden writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat("sv", { timeZone: timezone, dateStyle: "short" }).format(at_ms);
}

/** The date before or after one, by days. */
export function shiftDate(date: string, days: number): string {
  const shifted = new Date(`${date}T00:00:00Z`);
  shifted.setUTCDate(shifted.getUTCDate() + days);
  return shifted.toISOString().slice(0, 10);
}

/** The first instant of a date in a time zone, to the minute: not always midnight where clocks change. */
export function startOfDay(date: string, timezone: string): number {
  const utc_ms = Date.parse(`${date}T00:00:00Z`);
  let before = (utc_ms - OFFSET_MAX_MS) / MINUTE_MS;
  let first = (utc_ms + OFFSET_MAX_MS) / MINUTE_MS;
  while (first - before > 1) {
    const middle = Math.floor((before + first) / 2);
    if (localDate(middle * MINUTE_MS, timezone) >= date) first = middle;
    else before = middle;
  }
  return first * MINUTE_MS;
}
