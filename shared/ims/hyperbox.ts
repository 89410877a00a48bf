import { nearestBox } from "./distance.ts";

/** How boxes are learnt, in standard deviations of nominal operation. */
export interface BoxTolerances {
  /** Half-width of a new box around its first point. */
  init: number;
  /** A point this near to a box, or nearer, widens it; a farther one opens a new box. */
  expand: number;
}

export const BOX_TOLERANCES: BoxTolerances = { init: 0.25, expand: 1 };

/** A model of more boxes than this would no longer be a few kilobytes; the nearest box then takes what comes. */
const BOXES_MAX = 256;

export interface Boxes {
  /** k × F, row-major. */
  low: Float64Array;
  high: Float64Array;
  sizes: number[];
}

/**
 * NASA's IMS (Iverson, "Inductive System Health Monitoring", 2004): one pass over nominal operation. Each vector falls
 * into a box, or widens the nearest one if that is within the tolerance, or opens a new one.
 *
 * @param z row-major standardised features, n × F, without NaN, in order of time: the boxes depend on the order
 */
export function learnBoxes(z: Float64Array, F: number, { init, expand }: BoxTolerances): Boxes {
  const low = new Float64Array(BOXES_MAX * F);
  const high = new Float64Array(BOXES_MAX * F);
  const sizes: number[] = [];
  for (let at = 0; at < z.length; at += F) {
    const found = nearestBox(low, high, sizes.length, z, at, F);
    const opens = found.squared > expand * expand && sizes.length < BOXES_MAX;
    const box = opens ? sizes.length : found.box;
    const half_width = opens ? init : 0;
    for (let j = 0; j < F; j++) {
      const value = z[at + j]!;
      const edge = box * F + j;
      if (opens || value < low[edge]!) low[edge] = value - half_width;
      if (opens || value > high[edge]!) high[edge] = value + half_width;
    }
    sizes[box] = (sizes[box] ?? 0) + 1;
  }
  const used = sizes.length * F;
  return { low: low.slice(0, used), high: high.slice(0, used), sizes };
}
