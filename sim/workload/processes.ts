import type { Random } from "../../shared/random.ts";

/** One exact step of an Ornstein–Uhlenbeck process of the given standard deviation, for every element. */
export function relax(values: Float64Array, deviation: number, keep: number, random: Random): void {
  const kick = deviation * Math.sqrt(1 - keep * keep);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * keep + kick * random.normal();
}

/** A factor around 1, cut at two standard deviations: no rack of a maintained hall is an outlier for ever. */
export function spread(random: Random, deviation: number): number {
  return 1 + deviation * Math.max(-2, Math.min(2, random.normal()));
}
