import type { Limits } from "../contracts/config-parts.ts";
import { HEALTH_FIELDS, type HealthDescription, type Relation } from "../contracts/health.ts";
import { skadiError } from "../errors.ts";
import { isoTime } from "../time.ts";
import { FEATURES } from "./features.ts";
import {
  advance,
  advanceResiduals,
  CHANGE_WARM,
  FEATURE_OF,
  newTrack,
  SMOOTHED_WARM,
  standardise,
  type Track,
  VARIANCE_WARM,
} from "./health-track.ts";
import { isNominal } from "./nominal.ts";
import { compileRelation, invert } from "./relations.ts";
import { quantile } from "./statistics.ts";

const F = FEATURES.length;
const N = HEALTH_FIELDS.length;

/** Fewer windows say nothing about a tail. */
const WINDOWS_MIN = 2_000;
/** Added to the correlations' diagonal, so that quantities that always move together do not make it singular. */
const RIDGE = 1e-6;
/** So seldom may healthy sensors repeat themselves long enough to be called stuck, per window. */
const STUCK_CHANCE = 1e-12;
const STUCK_WINDOWS_MIN = 3;
/** An hour of 5 s windows: a sensor that needs longer is not judged at all. */
const STUCK_WINDOWS_MAX = 720;

export interface HealthTrainOptions {
  limits: Limits;
  data: string;
  created_ms: number;
}

/**
 * Learns what healthy sensors look like from nominal operation.
 *
 * Windows that are not nominal, or not complete, are left out. They should be as far apart as those that will be
 * judged (5 s): a coarser recording of the same hall gives wider limits for `change`, never narrower ones.
 *
 * @param series one matrix of features per rack, row-major in the order of time, n × FEATURES.length
 * @throws SkadiError SKADI_BAD_DATA for too few nominal windows or a quantity that never changes
 */
export function trainHealth(series: readonly Float64Array[], options: HealthTrainOptions): HealthDescription {
  const racks = series.map((rows) => nominalValues(rows, options.limits)).filter((rows) => rows.length > 0);
  const windows = racks.reduce((sum, rows) => sum + rows.length / N, 0);
  if (windows < WINDOWS_MIN) {
    const expected = `≥ ${WINDOWS_MIN} nominal windows`;
    throw skadiError("SKADI_BAD_DATA", { field: "data", value: windows, expected });
  }
  const about = meansOf(racks);
  const instant = covariance();
  const smoothed = covariance();
  const change = covariance();
  walk(racks, about, (track, z) => {
    instant.add(z);
    if (track.windows >= SMOOTHED_WARM) smoothed.add(track.fast);
    if (track.windows >= CHANGE_WARM) change.add(track.change);
  });
  const shapes = { instant: instant.precision(), smoothed: smoothed.precision(), change: change.precision() };
  return {
    v: 1,
    created_at: isoTime(options.created_ms),
    data: options.data,
    fields: [...HEALTH_FIELDS],
    windows,
    ...about,
    stuck_windows: stuckWindows(racks),
    ...limitsOf(racks, about, shapes),
  };
}

/** The health fields of the nominal windows, n × N. */
function nominalValues(rows: Float64Array, limits: Limits): Float64Array {
  const values = new Float64Array((rows.length / F) * N);
  let used = 0;
  for (let at = 0; at < rows.length; at += F) {
    if (!isNominal(rows, at, limits)) continue;
    for (let j = 0; j < N; j++) values[used + j] = rows[at + FEATURE_OF[j]!]!;
    used += N;
  }
  return values.subarray(0, used);
}

function meansOf(racks: readonly Float64Array[]): { mean: number[]; scale: number[] } {
  const mean: number[] = [];
  const scale: number[] = [];
  for (let j = 0; j < N; j++) {
    let count = 0;
    let sum = 0;
    for (const rows of racks) for (let at = j; at < rows.length; at += N, count++) sum += rows[at]!;
    const average = sum / count;
    let squares = 0;
    for (const rows of racks)
      for (let at = j; at < rows.length; at += N) squares += (rows[at]! - average) ** 2;
    const deviation = Math.sqrt(squares / count);
    if (!(deviation > Number.EPSILON * Math.abs(average))) {
      const expected = "a quantity that changes over the data";
      throw skadiError("SKADI_BAD_DATA", { field: HEALTH_FIELDS[j]!, value: average, expected });
    }
    mean.push(average);
    scale.push(deviation);
  }
  return { mean, scale };
}

/** Leads every rack's windows through its track, as the monitor will. */
function walk(
  racks: readonly Float64Array[],
  about: { mean: number[]; scale: number[] },
  visit: (track: Track, z: Float64Array) => void,
): void {
  const z = new Float64Array(N);
  for (const rows of racks) {
    const track = newTrack();
    for (let at = 0; at < rows.length; at += N) {
      standardise(rows.subarray(at, at + N), about, z);
      advance(track, z);
      visit(track, z);
    }
  }
}

function covariance() {
  const sums = new Float64Array(N * N);
  let count = 0;
  return {
    /** Deviations are from 0, the long-term mean of every standardised quantity. */
    add(z: Float64Array) {
      count++;
      for (let j = 0; j < N; j++) for (let k = j; k < N; k++) sums[j * N + k]! += z[j]! * z[k]!;
    },
    precision(): number[][] {
      const matrix = HEALTH_FIELDS.map((_, j) =>
        HEALTH_FIELDS.map((__, k) => sums[Math.min(j, k) * N + Math.max(j, k)]! / count),
      );
      const trace = matrix.reduce((sum, row, j) => sum + row[j]!, 0);
      for (let j = 0; j < N; j++) matrix[j]![j]! += (RIDGE * trace) / N;
      return invert(matrix);
    },
  };
}

/** How many exact repeats in a row healthy sensors as good as never show, from how often they repeat at all. */
function stuckWindows(racks: readonly Float64Array[]): (number | null)[] {
  return HEALTH_FIELDS.map((_, j) => {
    let repeats = 0;
    let steps = 0;
    for (const rows of racks) {
      for (let at = N + j; at < rows.length; at += N, steps++) if (rows[at] === rows[at - N]) repeats++;
    }
    const chance = (repeats + 1) / (steps + 1);
    const needed = Math.max(STUCK_WINDOWS_MIN, Math.ceil(Math.log(STUCK_CHANCE) / Math.log(chance)));
    return needed <= STUCK_WINDOWS_MAX ? needed : null;
  });
}

function limitsOf(
  racks: readonly Float64Array[],
  about: { mean: number[]; scale: number[] },
  shapes: Record<keyof HealthDescription["relations"], number[][]>,
): Pick<HealthDescription, "relations" | "erratic_limit"> {
  const compiled = (precision: number[][]) => compileRelation({ precision, limit: 1, usual: 1 });
  const instant = compiled(shapes.instant);
  const smoothed = compiled(shapes.smoothed);
  const change = compiled(shapes.change);
  const t2 = { instant: tail(), smoothed: tail(), change: tail() };
  const variances = HEALTH_FIELDS.map(() => tail());
  const residual = new Float64Array(N);
  const scratch = new Float64Array(N);
  walk(racks, about, (track, z) => {
    t2.instant.add(instant.judge(z, residual));
    advanceResiduals(track, residual);
    if (track.windows >= SMOOTHED_WARM) t2.smoothed.add(smoothed.judge(track.fast, scratch));
    if (track.windows >= CHANGE_WARM) t2.change.add(change.judge(track.change, scratch));
    if (track.windows >= 2 * VARIANCE_WARM)
      for (let j = 0; j < N; j++) variances[j]!.add(track.residual_variance[j]!);
  });
  const relation = (precision: number[][], seen: Tail): Relation => ({ precision, ...seen.limits() });
  return {
    relations: {
      instant: relation(shapes.instant, t2.instant),
      smoothed: relation(shapes.smoothed, t2.smoothed),
      change: relation(shapes.change, t2.change),
    },
    erratic_limit: variances.map((seen) => seen.limits().limit),
  };
}

interface Tail {
  add(value: number): void;
  limits(): { usual: number; limit: number };
}

/**
 * Where the upper tail ends. The tails of T² and of smoothed variances fall exponentially: every further decade of
 * rarity costs what the one from 1 % to 0.1 % costs (exceedances of a high threshold, with shape 0: Coles, An
 * Introduction to Statistical Modeling of Extreme Values, §4.2). The limit is extrapolated to 1 in 10⁸ windows; the
 * largest value seen would depend on a single window.
 */
function tail(): Tail {
  const values: number[] = [];
  return {
    add: (value) => void values.push(value),
    limits() {
      const sorted = Float64Array.from(values).sort();
      const usual = quantile(sorted, 0.99);
      const rare = quantile(sorted, 0.999);
      const extrapolated = usual + TAIL_DECADES * (rare - usual);
      return { usual, limit: Math.max(extrapolated, usual * (1 + Number.EPSILON * 8)) };
    },
  };
}

const TAIL_DECADES = 6;
