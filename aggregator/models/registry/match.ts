import { munkres } from "munkres";

/** Points that belong together: index among `a`, index among `b`. */
export interface Match {
  a: number;
  b: number;
  distance: number;
}

/**
 * Pairs the points of two sets so that the sum of the distances is the least possible (the Hungarian method; Munkres,
 * "Algorithms for the assignment and transportation problems", J. SIAM 5, 1957). Of the larger set some stay alone.
 *
 * @returns nearest pair first
 */
export function matchPoints(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  distance: (p: readonly number[], q: readonly number[]) => number,
): Match[] {
  const costs = a.map((p) => b.map((q) => distance(p, q)));
  return munkres(costs)
    .map(([i, j]) => ({ a: i, b: j, distance: costs[i]![j]! }))
    .sort((p, q) => p.distance - q.distance || p.a - q.a);
}
