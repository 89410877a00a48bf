import * as z from "zod";

/** What an option or a query must hold, in the words of the error. */
export const INSTANT_EXPECTED =
  "an ISO 8601 instant such as 2026-01-31T12:00:00Z, or milliseconds since the epoch, of the years 2000 to 2199";

const FIRST_MS = Date.UTC(2000, 0, 1);
const END_MS = Date.UTC(2200, 0, 1);
/** Fewer digits are no instant of these years, but a year or a date without its dashes. */
const EPOCH_MS = /^\d{12,}$/;
/** A year, a month, a date (all of UTC) or a date with a time; one without a zone is of this machine's. */
const ISO =
  /^(\d{4})(-\d\d)?(-\d\d)?(?:(?<=\d{4}-\d\d-\d\d)[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** Milliseconds since the epoch of a text as INSTANT_EXPECTED says; NaN for anything else. */
export function instantMs(text: string): number {
  const ms = EPOCH_MS.test(text) ? Number(text) : isoMs(text);
  return ms >= FIRST_MS && ms < END_MS ? ms : Number.NaN;
}

function isoMs(text: string): number {
  const [, year, month = "-01", day = "-01"] = ISO.exec(text) ?? [];
  // Date.parse makes 2 March of 30 February.
  return z.iso.date().safeParse(`${year}${month}${day}`).success ? Date.parse(text) : Number.NaN;
}

export const Instant = z.string().refine((text) => !Number.isNaN(instantMs(text)), INSTANT_EXPECTED);

/** What a span may reach into the future: clocks of agents that are ahead. */
const AHEAD_MS = 86_400_000;

/** The part of a span that there can be anything of: not older than `kept_ms`, the retention, nor of the future. */
export function withinKept(
  span: { from_ms: number; to_ms: number },
  now_ms: number,
  kept_ms: number,
): { from_ms: number; to_ms: number } {
  const clamped = (ms: number) => Math.min(Math.max(ms, now_ms - kept_ms), now_ms + AHEAD_MS);
  return { from_ms: clamped(span.from_ms), to_ms: clamped(span.to_ms) };
}
