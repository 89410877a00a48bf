import { HEALTH_FIELDS, type HealthDescription, type HealthField } from "../contracts/health.ts";
import { FIELD_RANGE } from "../contracts/telemetry.ts";
import { FEATURES } from "./features.ts";
import { HABIT_COUNT, recall } from "./habit.ts";
import { FEATURE_OF } from "./health-track.ts";
import { createRelationWatch } from "./relation-watch.ts";

const N = HEALTH_FIELDS.length;

/**
 * `range`: outside what the quantity can be. `stuck`: the same value again and again. `spike`: one window far off,
 * which the other sensors do not confirm. `drift`: lastingly off what the other sensors predict. `erratic`: about
 * right on average, but far noisier than it was. `dropout`: no answer, again and again.
 */
export type SensorProblem = "range" | "stuck" | "spike" | "drift" | "erratic" | "dropout";

/**
 * Several quantities at once left what was learnt, which no single sensor explains: `relations` do not hold (the
 * equipment is not what it was), or all moved together faster than they ever did (`change`).
 */
export type Departure = "relations" | "change";

export interface Suspicion {
  field: HealthField;
  problem: SensorProblem;
  /** What the other sensors predict for it, in its unit; NaN where nothing can be predicted. */
  expected: number;
}

export interface HealthVerdict {
  /** Readings of this window that are not to be believed. */
  suspects: Suspicion[];
  /** Sensors whose trouble lasts: worth a technician. */
  alarms: Suspicion[];
  departure: Departure | null;
}

export interface HealthMonitor {
  /**
   * Judges one scoring window of a rack; windows come in the order of time.
   *
   * @param at_ms when the window ended; a longer silence makes the monitor start afresh
   * @param x features in the order of FEATURES; NaN where missing
   * @param intervened the rack's devices are commanded otherwise than in the learnt operation, so that relations
   *   among the quantities do not hold for now
   */
  check(at_ms: number, x: Float64Array, intervened?: boolean): HealthVerdict;
}

/** After this silence, what was smoothed before says nothing any more. */
const SILENCE_MS = 300_000;

/**
 * Supervises the sensors of one rack. Without a learnt description it still sees what is physically impossible and
 * which sensors fall silent.
 */
export function createHealthMonitor(description: HealthDescription | null): HealthMonitor {
  const watch = description ? createRelationWatch(description) : null;
  const gaps = new Float64Array(N);
  const readable = new Float64Array(N);
  let last_ms = Number.NaN;
  return {
    check(at_ms, x, intervened = false) {
      if (at_ms - last_ms > SILENCE_MS) {
        watch?.restart();
        gaps.fill(0);
      }
      last_ms = at_ms;
      const suspects: Suspicion[] = [];
      const alarms: Suspicion[] = [];
      for (let j = 0; j < N; j++) {
        const value = x[FEATURE_OF[j]!]!;
        const silent = Number.isNaN(value);
        const possible = silent || isPossible(HEALTH_FIELDS[j]!, value);
        readable[j] = possible ? value : Number.NaN;
        if (!possible) suspects.push(suspicion(j, "range"));
        gaps[j] = recall(gaps[j]!) + (silent || !possible ? 1 : 0);
        if (gaps[j]! >= HABIT_COUNT) alarms.push(suspicion(j, possible ? "dropout" : "range"));
      }
      if (!watch) return { suspects, alarms, departure: null };
      const seen = watch.check(readable, intervened);
      return {
        suspects: [...suspects, ...seen.suspects],
        alarms: [...alarms, ...seen.alarms],
        departure: seen.departure,
      };
    },
  };
}

function suspicion(j: number, problem: SensorProblem): Suspicion {
  return { field: HEALTH_FIELDS[j]!, problem, expected: Number.NaN };
}

/** GPU power is derived from the energy counter; everything else is checked as it is measured. */
function isPossible(field: HealthField, value: number): boolean {
  const [low, high] = field === "gpu_power_kw" ? FIELD_RANGE.pdu_kw : FIELD_RANGE[field];
  return value >= low && value <= high;
}

const OF_DELTA_T = ["inlet_c", "outlet_c"];

/** Takes the suspect readings out of a feature vector, in place: D is then scored as with missing features. */
export function withoutSuspects(x: Float64Array, suspects: readonly Suspicion[]): void {
  for (const { field } of suspects) {
    x[FEATURES.indexOf(field)] = Number.NaN;
    if (OF_DELTA_T.includes(field)) x[FEATURES.indexOf("delta_t")] = Number.NaN;
  }
}
