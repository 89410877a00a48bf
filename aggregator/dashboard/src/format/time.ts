import { now_ms, site_time_zone } from "../data/live.ts";
import { duration } from "./numbers.ts";
import { zone } from "./settings.ts";

/** IANA name of the zone that times are shown in; undefined is the browser's own. */
function timeZone(): string | undefined {
  if (zone.value === "UTC") return "UTC";
  return zone.value === "site" ? site_time_zone.value : undefined;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const timeZoneName = timeZone();
  const key = `${name}/${timeZoneName}`;
  let known = formats.get(key);
  if (!known) {
    known = new Intl.DateTimeFormat("en-GB", timeZoneName ? { ...options, timeZone: timeZoneName } : options);
    formats.set(key, known);
  }
  return known;
}

const instant = (ts: string | number): number => (typeof ts === "number" ? ts : Date.parse(ts));

/** `04:12:07` */
export const clock = (ts: string | number): string =>
  format("clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(instant(ts));

/** `24 Nov, 04:12` */
export const dateTime = (ts: string | number): string =>
  format("date", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(instant(ts));

/** `4 min ago`, by the aggregator's clock. */
export const ago = (ts: string | number): string => `${duration(now_ms.value - instant(ts))} ago`;

/** How long since, by the aggregator's clock. */
export const since = (ts: string | number): string => duration(now_ms.value - instant(ts));
