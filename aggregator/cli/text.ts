import { stripVTControlCharacters } from "node:util";

/** Text that somebody else wrote, on one line and without what would control the terminal. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}

/** A figure, or a dash where it is not known. */
export function figure(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? "–" : value.toFixed(digits);
}

/** `42 s`, `7 min`, `3 h`, `5 d`. */
export function span(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 100) return `${Math.round(s)} s`;
  if (s < 100 * 60) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3_600) return `${Math.round(s / 3_600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** `2026-01-31 12:00:00Z`: to the second, in UTC as everything is that Skadi writes. */
export const instant = (ts: string) => `${new Date(ts).toISOString().slice(0, 19).replace("T", " ")}Z`;

/** What is set: a figure, or the device's own control. */
export const setting = (value: number | null) => (value === null ? "auto" : String(value));
