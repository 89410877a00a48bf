const NAMED_MAX = 12;

/** `R-A-01, R-B-04` or, of many, how many. */
export function someRacks(racks: readonly string[]): string {
  if (racks.length === 0) return "no rack";
  return racks.length > NAMED_MAX ? racksInWords(racks.length) : racks.join(", ");
}

export const racksInWords = (count: number): string => `${count} rack${count === 1 ? "" : "s"}`;

/** @param seconds at least 0 */
export function durationOf(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  return `${Number((seconds / 60).toFixed(1))} min`;
}
