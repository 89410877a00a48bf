import type { BinnedDistribution } from "../../shared/contracts/model.ts";
import { binOf } from "../../shared/ims/reference.ts";
import type { Observed } from "./psi.ts";

const HOURS = 24;
const HOUR_MS = 3_600_000;
/**
 * Rows closer than this repeat each other: what moves a rack (its jobs, its neighbours, the weather) stays for minutes.
 * Each such span counts as one independent row.
 */
const SPAN_MS = 900_000;

/** How one rack's rows spread over the bins of each quantity, by hour of the day (UTC). */
export interface Occupancy {
  /** Independent spans per hour. */
  spans: number[];
  /** Rows per hour. */
  rows: number[];
  /** Per hour and quantity: rows in each bin, one after another (`layoutOf`). */
  counts: number[];
  /** Per hour and quantity: sum over the rows. */
  sums: number[];
}

/** Where each quantity's bins begin in `counts` of one hour, and how many there are in all. */
export interface BinLayout {
  bins: readonly BinnedDistribution[];
  starts: readonly number[];
  width: number;
}

export function layoutOf(bins: readonly BinnedDistribution[]): BinLayout {
  const starts: number[] = [];
  let width = 0;
  for (const { shares } of bins) {
    starts.push(width);
    width += shares.length;
  }
  return { bins, starts, width };
}

/** Counts one rack's rows, which come in order of time. */
export function occupancyCounter(layout: BinLayout): {
  add(ts_ms: number, values: ArrayLike<number>): void;
  occupancy: Occupancy;
} {
  const quantities = layout.bins.length;
  const occupancy: Occupancy = {
    spans: new Array(HOURS).fill(0),
    rows: new Array(HOURS).fill(0),
    counts: new Array(HOURS * layout.width).fill(0),
    sums: new Array(HOURS * quantities).fill(0),
  };
  let last_span = -1;
  return {
    occupancy,
    add(ts_ms, values) {
      const hour = Math.floor(ts_ms / HOUR_MS) % HOURS;
      const span = Math.floor(ts_ms / SPAN_MS);
      if (span !== last_span) occupancy.spans[hour]!++;
      last_span = span;
      occupancy.rows[hour]!++;
      for (let q = 0; q < quantities; q++) {
        const value = values[q]!;
        occupancy.counts[hour * layout.width + layout.starts[q]! + binOf(layout.bins[q]!.edges, value)]!++;
        occupancy.sums[hour * quantities + q]! += value;
      }
    },
  };
}

/** Several racks together. */
export function pooled(occupancies: readonly Occupancy[]): Occupancy {
  const add = (pick: (occupancy: Occupancy) => number[]) => {
    const total = new Array<number>(pick(occupancies[0]!).length).fill(0);
    for (const occupancy of occupancies)
      for (const [i, value] of pick(occupancy).entries()) total[i]! += value;
    return total;
  };
  return {
    spans: add((o) => o.spans),
    rows: add((o) => o.rows),
    counts: add((o) => o.counts),
    sums: add((o) => o.sums),
  };
}

/** Hours of the day that have rows. */
export function hoursOf({ rows }: Occupancy): number[] {
  return [...rows.keys()].filter((hour) => rows[hour]! > 0);
}

/** Shares and mean of one quantity where each of these hours of the day weighs the same, however many rows it has. */
export function observedOver(
  occupancy: Occupancy,
  layout: BinLayout,
  quantity: number,
  hours: readonly number[],
): Observed & { mean: number } {
  const { starts, width, bins } = layout;
  const shares = new Array<number>(bins[quantity]!.shares.length).fill(0);
  let n = 0;
  let mean = 0;
  for (const hour of hours) {
    const weight = 1 / (occupancy.rows[hour]! * hours.length);
    const at = hour * width + starts[quantity]!;
    for (let bin = 0; bin < shares.length; bin++) shares[bin]! += occupancy.counts[at + bin]! * weight;
    mean += occupancy.sums[hour * bins.length + quantity]! * weight;
    n += occupancy.spans[hour]!;
  }
  return { shares, n, mean };
}
