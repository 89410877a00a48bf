import type { Operation, Outlook } from "./rack-model.ts";

/** What the planner watches of a rack besides cost. */
export const EFFECTS = ["inlet", "latency", "rack_kw"] as const;
export type Effects = Record<(typeof EFFECTS)[number], number>;

/** A device's range, as a convex chain of pieces from `low` upwards, relative to where it stands. */
export interface AxisCurve {
  low: number;
  pieces: { width: number; cost: number }[];
  /** Change per unit. */
  per: Effects;
}

/**
 * Cost along one axis as the steepest convex chain below the sampled points, so that a linear program fills its
 * pieces in order.
 *
 * @param points ascending positions relative to the present one (0 among them) and their cost
 */
export function convexPieces(points: readonly (readonly [at: number, cost: number])[]): AxisCurve["pieces"] {
  const hull: (readonly [number, number])[] = [];
  for (const point of points) {
    while (hull.length >= 2) {
      const [x0, y0] = hull[hull.length - 2]!;
      const [x1, y1] = hull[hull.length - 1]!;
      const below = (y1 - y0) * (point[0] - x0) <= (point[1] - y0) * (x1 - x0);
      if (below) break;
      hull.pop();
    }
    hull.push(point);
  }
  return hull.slice(1).map(([x, y], k) => {
    const [x0, y0] = hull[k]!;
    return { width: x - x0, cost: (y - y0) / (x - x0) };
  });
}

/** What a rack's limits depend on, at an operation and at its peak load. */
export interface Evaluated {
  cost_kw: number;
  effects: Effects;
}

export function evaluate(
  predict: (operation: Operation) => Outlook,
  operation: Operation,
  peak_tokens_ps: number,
): Evaluated {
  const mean = predict(operation);
  const peak = predict({ ...operation, tokens_ps: peak_tokens_ps });
  const effects = { inlet: peak.inlet_c, latency: peak.latency_p95_ms, rack_kw: peak.pdu_kw };
  return { cost_kw: mean.total_kw, effects };
}

/** Differences per unit between two evaluations. */
export function perUnit(from: Effects, to: Effects, distance: number): Effects {
  return Object.fromEntries(EFFECTS.map((name) => [name, (to[name] - from[name]) / distance])) as Effects;
}
