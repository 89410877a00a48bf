import { HEALTH_FIELDS, type HealthDescription } from "../contracts/health.ts";
import { FIELD_RANGE } from "../contracts/telemetry.ts";
import { HABIT_COUNT, recall } from "./habit.ts";
import {
  advance,
  advanceResiduals,
  CHANGE_WARM,
  newTrack,
  SMOOTHED_WARM,
  standardise,
  VARIANCE_WARM,
} from "./health-track.ts";
import { type CompiledRelation, compileRelation, largestResidual } from "./relations.ts";
import type { Departure, HealthVerdict, SensorProblem, Suspicion } from "./sensor-health.ts";

const N = HEALTH_FIELDS.length;

/**
 * Consecutive windows that a deviation must last. An equipment fault shows first in the quantity next to it (a blocked
 * tile in the inlet) and in the others only as the heat spreads, so a sensor must not be blamed at once.
 */
const LASTING_WINDOWS = 6;
/**
 * A temperature that reads hotter than predicted must be alone with it for longer, three minutes, before it is
 * disbelieved: with a lost air handler the inlets lead and everything else follows at the pace of the thermal mass.
 */
const HOT_WINDOWS = 36;
/** What comes back after so many windows at most was a spike. */
const SPIKE_WINDOWS_MAX = 2;

export interface RelationWatch {
  /** @param values health fields in physical units; NaN where missing */
  check(values: Float64Array, intervened: boolean): HealthVerdict;
  restart(): void;
}

/** What one relation says of one vector: usual, off in one sensor, or off in several quantities. */
type Finding = { off: "no" } | { off: "sensor"; j: number } | { off: "rack" };

/**
 * The single-fault rule: a vector that is too far off is blamed on one sensor only if the others, by themselves, are
 * as usual. In doubt it is the rack: a real deviation must not be explained away.
 */
function judge(
  relation: CompiledRelation,
  z: Float64Array,
  residual: Float64Array,
  known: Uint8Array,
): Finding {
  const t2 = relation.judge(z, residual);
  if (t2 <= relation.limit) return { off: "no" };
  const j = largestResidual(residual);
  const left = t2 - residual[j]! ** 2;
  return left <= relation.usual && known[j] ? { off: "sensor", j } : { off: "rack" };
}

/** Watches one rack's sensors by what was learnt of them. */
export function createRelationWatch(description: HealthDescription): RelationWatch {
  const { mean, scale, stuck_windows, erratic_limit } = description;
  const instant = compileRelation(description.relations.instant);
  const smoothed = compileRelation(description.relations.smoothed);
  const change = compileRelation(description.relations.change);
  const previous = new Float64Array(N).fill(Number.NaN);
  const repeats = new Int32Array(N);
  const spikes = new Float64Array(N);
  const z = new Float64Array(N);
  const known = new Uint8Array(N);
  const residual = new Float64Array(N);
  const scratch = new Float64Array(N);
  const expected = new Float64Array(N);
  let track = newTrack();
  let spike_run = { j: -1, windows: 0 };
  let drift_run = { j: -1, windows: 0 };
  let departing = 0;
  let changing = 0;
  let calm_windows = 0;

  const restart = () => {
    track = newTrack();
    spikes.fill(0);
    spike_run = { j: -1, windows: 0 };
    drift_run = { j: -1, windows: 0 };
    departing = 0;
    changing = 0;
    calm_windows = 0;
  };

  const isStuck = (j: number, value: number): boolean => {
    if (Number.isNaN(value)) return false;
    repeats[j] = value === previous[j] ? repeats[j]! + 1 : 0;
    previous[j] = value;
    const allowed = stuck_windows[j]!;
    return allowed !== null && repeats[j]! >= allowed && !isSaturated(j, value);
  };

  return {
    restart,
    check(values, intervened) {
      const suspects: Suspicion[] = [];
      const alarms: Suspicion[] = [];
      const name = (j: number, problem: SensorProblem): Suspicion => ({
        field: HEALTH_FIELDS[j]!,
        problem,
        expected: expected[j]!,
      });
      const stuck: number[] = [];
      let known_count = 0;
      standardise(values, description, z);
      for (let j = 0; j < N; j++) {
        if (isStuck(j, values[j]!)) {
          stuck.push(j);
          z[j] = Number.NaN;
        }
        known[j] = Number.isNaN(z[j]!) ? 0 : 1;
        known_count += known[j]!;
      }
      if (intervened || known_count === 0) {
        restart();
        expected.fill(Number.NaN);
        for (const j of stuck) suspects.push(name(j, "stuck"));
        return { suspects, alarms: suspects, departure: null };
      }
      instant.complete(z);
      const finding = judge(instant, z, residual, known);
      for (let j = 0; j < N; j++) expected[j] = mean[j]! + scale[j]! * instant.predicted(z, residual, j);
      advance(track, z);
      advanceResiduals(track, residual);
      for (const j of stuck) suspects.push(name(j, "stuck"));
      alarms.push(...suspects);

      const lasting = track.windows >= SMOOTHED_WARM ? judge(smoothed, track.fast, scratch, known) : NO;
      departing = lasting.off === "rack" ? departing + 1 : 0;
      // A single window that does not isolate the sensor so clearly takes nothing back.
      if (lasting.off !== "rack" || departing >= LASTING_WINDOWS) drift_run = nextRun(drift_run, lasting);
      const blamed_after = drift_run.j >= 0 && isHot(drift_run.j, scratch) ? HOT_WINDOWS : LASTING_WINDOWS;
      const jump = track.windows >= CHANGE_WARM ? judge(change, track.change, scratch, known) : NO;
      changing = jump.off === "rack" ? changing + 1 : 0;
      const departure = departureOf(departing, changing);

      // While the whole rack is off, one quantity that crosses a limit now and then is part of that.
      const alone: Finding = departure ? NO : finding;
      for (let j = 0; j < N; j++) spikes[j] = departure ? 0 : recall(spikes[j]!);
      if (
        alone.off === "no" &&
        spike_run.windows > 0 &&
        spike_run.windows <= SPIKE_WINDOWS_MAX &&
        !departure
      ) {
        spikes[spike_run.j]!++;
      }
      spike_run = nextRun(spike_run, alone);
      calm_windows = lasting.off === "rack" || jump.off === "rack" ? 0 : calm_windows + 1;

      // A sensor that is lastingly off explains its own jumps and its noise too: one name per sensor.
      const drifting = drift_run.windows >= blamed_after ? drift_run.j : -1;
      if (drifting >= 0) {
        const found = name(drifting, spikes[drifting]! >= HABIT_COUNT ? "spike" : "drift");
        suspects.push(found);
        alarms.push(found);
      }
      if (alone.off === "sensor" && alone.j !== drifting) suspects.push(name(alone.j, "spike"));
      for (let j = 0; j < N; j++) {
        if (j !== drifting && spikes[j]! >= HABIT_COUNT) alarms.push(name(j, "spike"));
      }
      const noisy = calm_windows >= VARIANCE_WARM ? noisiest(track.residual_variance, erratic_limit) : -1;
      if (noisy >= 0 && known[noisy] && !alarms.some(({ field }) => field === HEALTH_FIELDS[noisy])) {
        const found = name(noisy, "erratic");
        suspects.push(found);
        alarms.push(found);
      }
      return { suspects, alarms, departure };
    },
  };
}

const TEMPERATURES: ReadonlySet<string> = new Set(["inlet_c", "outlet_c"]);
const NO: Finding = { off: "no" };

function nextRun(run: { j: number; windows: number }, finding: Finding): { j: number; windows: number } {
  if (finding.off !== "sensor") return { j: -1, windows: 0 };
  return { j: finding.j, windows: finding.j === run.j ? run.windows + 1 : 1 };
}

function isHot(j: number, residual: Float64Array): boolean {
  return TEMPERATURES.has(HEALTH_FIELDS[j]!) && residual[j]! > 0;
}

function departureOf(departing: number, changing: number): Departure | null {
  if (departing >= LASTING_WINDOWS) return "relations";
  return changing >= LASTING_WINDOWS ? "change" : null;
}

/** The sensor whose residual varies beyond anything nominal, by the largest factor; −1 if none does. */
function noisiest(variance: Float64Array, limit: readonly number[]): number {
  let best = -1;
  let best_ratio = 1;
  for (let j = 0; j < N; j++) {
    const ratio = variance[j]! / limit[j]!;
    if (ratio <= best_ratio) continue;
    best = j;
    best_ratio = ratio;
  }
  return best;
}

/** A quantity at the end of its range stays there without its sensor being stuck: a fan at 100 %, an empty queue. */
function isSaturated(j: number, value: number): boolean {
  const field = HEALTH_FIELDS[j]!;
  if (field === "gpu_power_kw") return false;
  const [low, high] = FIELD_RANGE[field];
  return value <= low || value >= high;
}
