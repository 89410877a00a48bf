import * as z from "zod";

/** Milliseconds of an ISO 8601 instant or of a number of milliseconds since the epoch; NaN for anything else. */
export function instantMs(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  // The largest instant that a Date can hold (ECMA-262, Time Values).
  return Math.abs(ms) <= 8.64e15 ? ms : Number.NaN;
}

export const Instant = z
  .string()
  .refine((text) => !Number.isNaN(instantMs(text)), "an ISO 8601 instant or milliseconds since the epoch");
