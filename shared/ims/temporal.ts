import type { DerivedFeature } from "../contracts/model.ts";

/** A statistic of a quiet sensor still needs this share of its window. */
const PRESENT_SHARE_MIN = 0.5;

/** Computes a model's whole vector from rows of its inputs, one series at a time, in order of time. */
export interface TemporalComputer {
  /** The columns that `push` takes. */
  readonly inputs: readonly string[];
  /**
   * @param row one value per input, NaN where missing
   * @param out receives the F features; a derived one is NaN until its window is full, or while half of it is missing
   */
  push(row: ArrayLike<number>, out: Float64Array): Float64Array;
}

/** The columns that must be read for a model's features: the plain ones, then what only derived ones look at. */
export function inputsOf(features: readonly string[], derived: readonly DerivedFeature[]): string[] {
  const computed = new Set(derived.map(({ name }) => name));
  return [...new Set([...features.filter((name) => !computed.has(name)), ...derived.map(({ of }) => of)])];
}

/** The one implementation of derived features, for training and for scoring alike. It only looks back. */
export function temporalComputer(
  features: readonly string[],
  derived: readonly DerivedFeature[],
): TemporalComputer {
  const inputs = inputsOf(features, derived);
  const cells = features.map((name) => {
    const feature = derived.find((candidate) => candidate.name === name);
    return feature ? windowed(feature, inputs.indexOf(feature.of)) : plain(inputs.indexOf(name));
  });
  return {
    inputs,
    push(row, out) {
      for (let j = 0; j < cells.length; j++) out[j] = cells[j]!(row);
      return out;
    },
  };
}

/** @returns row-major features, n × features.length, of row-major inputs of one series */
export function withDerived(
  rows: Float64Array,
  features: readonly string[],
  derived: readonly DerivedFeature[],
): Float64Array {
  const computer = temporalComputer(features, derived);
  const width = computer.inputs.length;
  const F = features.length;
  const out = new Float64Array((rows.length / width) * F);
  for (let i = 0; i * width < rows.length; i++)
    computer.push(rows.subarray(i * width, (i + 1) * width), out.subarray(i * F, (i + 1) * F));
  return out;
}

type Cell = (row: ArrayLike<number>) => number;

function plain(input: number): Cell {
  return (row) => row[input]!;
}

const STATISTICS = { mean: meanOf, std: deviationOf, rate: rateOf };

function windowed({ stat, window_rows }: DerivedFeature, input: number): Cell {
  const ring = new Float64Array(window_rows);
  const statistic = STATISTICS[stat];
  let seen = 0;
  return (row) => {
    ring[seen++ % window_rows] = row[input]!;
    return seen < window_rows ? Number.NaN : statistic(ring, seen % window_rows);
  };
}

/** Sums are taken afresh for each row: running sums would drift apart between a restart and none. */
function meanOf(ring: Float64Array): number {
  return meanWithin(ring, 0, 0, ring.length);
}

function deviationOf(ring: Float64Array): number {
  const mean = meanOf(ring);
  let squares = 0;
  let count = 0;
  for (const value of ring) {
    if (Number.isNaN(value)) continue;
    squares += (value - mean) ** 2;
    count++;
  }
  return Math.sqrt(squares / count);
}

/** Change per row: the newer half's mean less the older half's, over the distance of their middles. */
function rateOf(ring: Float64Array, oldest: number): number {
  const half = Math.floor(ring.length / 2);
  const older = meanWithin(ring, oldest, 0, half);
  const newer = meanWithin(ring, oldest, ring.length - half, ring.length);
  return (newer - older) / (ring.length - half);
}

/** Mean of the values present among positions [from, to), counted from the oldest. */
function meanWithin(ring: Float64Array, oldest: number, from: number, to: number): number {
  let sum = 0;
  let count = 0;
  for (let i = from; i < to; i++) {
    const value = ring[(oldest + i) % ring.length]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count >= PRESENT_SHARE_MIN * (to - from) ? sum / count : Number.NaN;
}
