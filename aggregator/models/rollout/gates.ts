import type { RolloutConfig } from "../../../shared/contracts/config.ts";
import type { ScoreDistribution } from "../../../shared/contracts/model.ts";
import type { RolloutGate } from "../../../shared/contracts/rollout.ts";
import type { PairTally } from "./pairs.ts";
import { fisherTail, mean, normalQuantile, stabilityIndex, studentQuantile, variance } from "./statistics.ts";
import { emptyBins, RATIO_EDGES, type Tally } from "./tallies.ts";

/** One rack before its wave was offered and since the wave soaks, each under one model. */
interface RackEvidence {
  before: Tally | null;
  now: Tally;
}

export interface WaveEvidence {
  /** The wave's racks that run the new model. */
  treated: RackEvidence[];
  /** Racks whose model did not change meanwhile. */
  controls: RackEvidence[];
  /** Every rack that is not pinned: its samples since the wave soaks, by the model before and by the new one. */
  pairs: PairTally[];
  /** What the model's own training says of D, and its tau_fast; null if its file is gone. */
  expected: { nominal: ScoreDistribution; tau_fast: number } | null;
}

export interface WaveErrors {
  racks: number;
  refused: number;
  /** Online and without an answer in time. */
  silent: number;
  /** Offline since they took the model. */
  lost: number;
  /** Share of the other racks that are offline. */
  others_offline: number;
}

type Gates = RolloutConfig["gates"];

/** From so many control racks on they say themselves how much a rack's figures vary. */
const CONTROLS_MIN = 4;
/** Scores follow each other too closely to count as independent: the factor on a binomial variance without controls. */
const DEPENDENCE = 3;
/** The rack with the largest rise is left out where there are so many, so that one rack's real fault is no verdict. */
const TRIM_FROM = 4;

interface Rise {
  value: number;
  /** The largest rise that may be chance at this level. */
  critical: number;
}

/**
 * How much more the treated racks changed than the others did in the same time, and how much of that may be chance:
 * a t-test of the differences. Each rack is one observation, since the scores of one are far from independent.
 *
 * @param chance the variance of one rack's change that counting alone explains: never less is assumed
 * @param level chance of exceeding `critical` where nothing changed
 */
function riseTest(
  treated: readonly number[],
  controls: readonly number[],
  chance: number,
  level: number,
): Rise {
  const kept = treated.length >= TRIM_FROM ? [...treated].sort((a, b) => a - b).slice(0, -1) : treated;
  const others = controls.length > 0 ? mean(controls) : 0;
  const value = mean(kept) - others;
  const count = 1 / kept.length + (controls.length > 0 ? 1 / controls.length : 0);
  return { value, critical: Math.sqrt(count) * largestBy(chance, controls, level) };
}

/** The largest deviation of one rack at this level: by counting alone, and by how much racks are seen to differ. */
function largestBy(chance: number, seen: readonly number[], level: number): number {
  const counted = normalQuantile(1 - level) * Math.sqrt(chance);
  if (seen.length < CONTROLS_MIN) return counted * Math.sqrt(DEPENDENCE);
  return Math.max(counted, studentQuantile(1 - level, seen.length - 1) * Math.sqrt(variance(seen)));
}

const share = (tally: Tally) => tally.alarms / tally.scores;

/** What can be compared: every rack's change where enough have a time before, or else their present alone. */
function comparable(evidence: WaveEvidence, scores_min: number) {
  const enough = (tally: Tally | null): tally is Tally => tally !== null && tally.scores >= scores_min;
  const now = (racks: RackEvidence[]) => racks.filter((rack) => enough(rack.now));
  const both = (racks: RackEvidence[]) =>
    now(racks).flatMap((rack) => (enough(rack.before) ? [{ before: rack.before, now: rack.now }] : []));
  const treated = both(evidence.treated);
  if (treated.length * 2 >= evidence.treated.length && treated.length > 0)
    return { treated, controls: both(evidence.controls) };
  const present = { treated: now(evidence.treated), controls: now(evidence.controls) };
  const sound = present.treated.length * 2 >= evidence.treated.length && present.treated.length > 0;
  return sound && present.controls.length >= CONTROLS_MIN
    ? {
        treated: present.treated.map((rack) => ({ before: null, now: rack.now })),
        controls: present.controls.map((rack) => ({ before: null, now: rack.now })),
      }
    : null;
}

/**
 * Alarms, by three tests of a third of the level each: the share of scores with D ≥ tau_fast (a t-test over racks of
 * its change), how many racks became persistent (Fisher's exact test against the other racks), and what both models
 * make of the same samples (a t-test over racks). The gate's value is the larger of the two rises, measured by its
 * limit. It is undecided where a rise on the same samples is more than is put up with, but may be chance.
 */
export function alarmGate(evidence: WaveEvidence, gates: Gates, level: number): RolloutGate {
  const live = liveRise(evidence, gates, level / 3);
  const paired = pairedRise(evidence, gates, level / 3);
  if (!live && !paired) return undecided("alarm_rate", gates.alarm_rise_max);
  const persistent = persistentTest(evidence, level / 3);
  const rises = [live, paired].flatMap((rise) => rise ?? []);
  const { value, limit } = rises.reduce((a, b) => (b.value / b.limit > a.value / a.limit ? b : a));
  const failed = rises.some((rise) => rise.value > rise.limit) || !persistent.ok;
  const doubtful = !live || (paired !== null && paired.value > gates.alarm_rise_max);
  return {
    ...{ name: "alarm_rate", value, limit },
    ok: failed ? false : doubtful ? null : true,
    detail: [...rises, persistent].map(({ detail }) => detail).join("; "),
  };
}

interface JudgedRise {
  value: number;
  limit: number;
  detail: string;
}

function liveRise(evidence: WaveEvidence, gates: Gates, level: number): JudgedRise | null {
  const pair = comparable(evidence, gates.scores_min);
  if (!pair) return null;
  const change = (rack: RackEvidence) => share(rack.now) - (rack.before ? share(rack.before) : 0);
  const every = [...pair.treated, ...pair.controls];
  const counted = every.flatMap(({ before, now }) => (before ? [before] : [now]));
  const p = (total(counted, "alarms") + 1) / (total(counted, "scores") + 2);
  const chance = p * (1 - p) * mean(every.map(({ before, now }) => inverse(now) + inverse(before)));
  const rise = riseTest(pair.treated.map(change), pair.controls.map(change), chance, level);
  const limit = Math.max(gates.alarm_rise_max, rise.critical);
  const before = pair.treated.flatMap((rack) => rack.before ?? []);
  const known = [
    ...(before.length > 0 ? [`${percent(pooled(before))} before`] : []),
    ...(pair.controls.length > 0 ? [`other racks now ${percent(pooled(nowOf(pair.controls)))}`] : []),
  ];
  const shares = `${percent(pooled(nowOf(pair.treated)))} of the scores of ${racks(pair.treated.length)} alarm (${known.join(", ")})`;
  return {
    ...{ value: rise.value, limit },
    detail: `${shares}: a rise of ${points(rise.value)}, at most ${points(limit)} allowed`,
  };
}

function pairedRise({ pairs }: WaveEvidence, gates: Gates, level: number): JudgedRise | null {
  const tallies = pairs.filter(({ samples }) => samples >= gates.scores_min);
  if (tallies.length === 0) return null;
  const rises = tallies.map(
    ({ samples, alarms_before, alarms_after }) => (alarms_after - alarms_before) / samples,
  );
  const value = mean(rises);
  const counting = mean(tallies.map(({ samples, differ }) => (differ + 1) / samples ** 2));
  const limit = Math.max(gates.alarm_rise_max, largestBy(counting, rises, level) / Math.sqrt(rises.length));
  const shareOf = (field: "alarms_before" | "alarms_after") =>
    percent(sum(tallies, (tally) => tally[field]) / sum(tallies, ({ samples }) => samples));
  return {
    ...{ value, limit },
    detail: `of the same samples of ${racks(tallies.length)} ${shareOf("alarms_after")} alarm, ${shareOf("alarms_before")} by the model before: ${points(value)} more, at most ${points(limit)} allowed`,
  };
}

/** Racks, not events: one that goes to and fro is one rack. */
function persistentTest(evidence: WaveEvidence, level: number): { ok: boolean; detail: string } {
  const { treated, controls } = evidence;
  const hits = (side: readonly RackEvidence[]) => side.filter(({ now }) => now.entered > 0).length;
  const [hit, others_hit] = [hits(treated), hits(controls)];
  const p_value = fisherTail(hit, treated.length, hit + others_hit, treated.length + controls.length);
  const ok = controls.length < CONTROLS_MIN || p_value >= level;
  return {
    ok,
    detail: `${hit} of ${racks(treated.length)} became persistent, ${others_hit} of ${controls.length} others${ok ? "" : ` (p = ${p_value.toPrecision(1)})`}`,
  };
}

/**
 * Shift of D / tau_fast, as a population stability index, by two measures: between both models on the same samples,
 * which no hour's course can bring about; and of each rack between before and now, beyond what the racks show that
 * changed nothing (a t-test over racks). Where D now is nearer to what the model's training expects, that distance
 * counts instead: a model that is right at last may change what it is to replace.
 */
export function shiftGate(evidence: WaveEvidence, gates: Gates, level: number): RolloutGate {
  const live = liveShift(evidence, gates, level);
  const paired = pairedShift(evidence, gates);
  const shifts = [live, paired].flatMap((shift) => shift ?? []);
  if (shifts.length === 0) return undecided("d_shift", gates.d_shift_max);
  const { value, limit } = shifts.reduce((a, b) => (b.value / b.limit > a.value / a.limit ? b : a));
  return {
    ...{ name: "d_shift", value, limit, ok: value <= limit },
    detail: `stability index of D ${shifts.map(({ detail }) => detail).join("; ")}`,
  };
}

function pairedShift({ pairs, expected }: WaveEvidence, gates: Gates): JudgedRise | null {
  const tallies = pairs.filter(({ samples }) => samples >= gates.scores_min);
  if (tallies.length === 0) return null;
  const before = addBins(tallies.map(({ bins_before }) => bins_before));
  const after = addBins(tallies.map(({ bins_after }) => bins_after));
  const limit = gates.d_shift_max;
  const value = Math.min(stabilityIndex(before, after), distanceFrom(expected, after));
  return {
    value,
    limit,
    detail: `${value.toFixed(2)} on the same samples, at most ${limit.toFixed(2)} allowed`,
  };
}

function liveShift(evidence: WaveEvidence, gates: Gates, level: number): JudgedRise | null {
  const pair = comparable(evidence, gates.scores_min);
  if (!pair) return null;
  // Racks without a time before are compared with the others.
  const others_now = addBins(pair.controls.map(({ now }) => now.bins));
  const changed = ({ before, now }: RackEvidence) => stabilityIndex(before?.bins ?? others_now, now.bins);
  const treated = pair.treated.map((rack) =>
    Math.min(changed(rack), distanceFrom(evidence.expected, rack.now.bins)),
  );
  const controls = pair.controls.map(changed);
  const counts = [...pair.treated, ...pair.controls].map(({ before, now }) => inverse(before) + inverse(now));
  const chance = 2 * RATIO_EDGES.length * mean(counts) ** 2;
  const { value, critical } = riseTest(treated, controls, chance, level);
  const limit = Math.max(gates.d_shift_max, critical);
  const others = controls.length > 0 ? ` (other racks ${mean(controls).toFixed(2)})` : "";
  return {
    ...{ value, limit },
    detail: `${mean(treated).toFixed(2)} live${others}, at most ${limit.toFixed(2)} beyond theirs allowed`,
  };
}

/** How far D is from what the model's training expects; infinite where that is not known. */
function distanceFrom(expected: WaveEvidence["expected"], bins: readonly number[]): number {
  return expected ? stabilityIndex(expectedBins(expected), bins) : Number.POSITIVE_INFINITY;
}

/** What a thousand scores would be if D were log-normal as in the model's training. */
function expectedBins({ nominal, tau_fast }: NonNullable<WaveEvidence["expected"]>): number[] {
  const below = RATIO_EDGES.map((edge) =>
    normalShare((Math.log(edge * tau_fast) - nominal.log_mean) / nominal.log_std),
  );
  return [...below, 1].map((share, i) => 1_000 * (share - (below[i - 1] ?? 0)));
}

/** Share of the standard normal distribution below z (Abramowitz & Stegun 26.2.17, absolute error below 7.5e-8). */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return z >= 0 ? 1 - upper : upper;
}

/** Agents that refuse the model, do not answer, or are gone since they took it, beyond what the other racks lose. */
export function errorGate(errors: WaveErrors, gates: Gates): RolloutGate {
  const lost = Math.max(0, errors.lost - errors.others_offline * errors.racks);
  const failed = errors.refused + errors.silent + lost;
  const limit = Math.max(1, Math.floor(gates.agent_errors_max * errors.racks));
  const all = failed >= errors.racks && errors.racks > 0;
  return {
    name: "agent_errors",
    value: failed,
    limit,
    ok: failed <= limit && !all,
    detail: `of ${racks(errors.racks)} ${errors.refused} refused, ${errors.silent} did not answer, ${errors.lost} went offline; at most ${limit} allowed`,
  };
}

function undecided(name: RolloutGate["name"], limit: number): RolloutGate {
  return { name, value: null, limit, ok: null, detail: "too few scores so far" };
}

const total = (tallies: readonly Tally[], field: "scores" | "alarms") =>
  tallies.reduce((sum, tally) => sum + tally[field], 0);
const inverse = (tally: Tally | null) => (tally ? 1 / tally.scores : 0);
const nowOf = (evidence: readonly RackEvidence[]) => evidence.map(({ now }) => now);
const sum = <T>(items: readonly T[], of: (item: T) => number) =>
  items.reduce((so_far, item) => so_far + of(item), 0);
const addBins = (histograms: readonly (readonly number[])[]) =>
  emptyBins().map((_, i) => sum(histograms, (bins) => bins[i]!));
const pooled = (tallies: readonly Tally[]) => total(tallies, "alarms") / total(tallies, "scores");
const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
const points = (part: number) => `${(100 * part).toFixed(1)} points`;
const racks = (count: number) => `${count} rack${count === 1 ? "" : "s"}`;
