import type { Score } from "../../shared/contracts/score.ts";
import {
  MEASURED_FIELDS,
  type MeasuredField,
  type TelemetrySample,
} from "../../shared/contracts/telemetry.ts";

/** So many samples become one at each level: a minute of 5 s samples, then twelve minutes. */
const ROLL_UP_SAMPLES = 12;
export const ROLL_UP_LEVELS = 2;

/** Samples further apart than this many intervals are two different times, whose mean is neither. */
const GAP_INTERVALS = 3;

/** Samples of one bucket are rolled up together at this level (from 0); scores share their sample's bucket. */
export function bucketOf(seq: number, level: number): number {
  return Math.floor(seq / ROLL_UP_SAMPLES ** (level + 1));
}

/** The most that one roll-up reads of a channel: a bucket, and the sample behind it that proves it complete. */
export const ROLL_UP_READS = ROLL_UP_SAMPLES + 1;

/**
 * How many samples at the front belong in one: same bucket, no gap, all with a known energy or none with one, so
 * that the sum of the energies is that of the sum of the intervals. 0 while more of them may still come.
 */
export function leadingRun(samples: readonly TelemetrySample[], level: number): number {
  for (let i = 1; i < samples.length; i++) if (!continues(samples[i - 1]!, samples[i]!, level)) return i;
  return samples.length >= ROLL_UP_READS ? ROLL_UP_SAMPLES : 0;
}

function continues(before: TelemetrySample, next: TelemetrySample, level: number): boolean {
  const step_ms = Date.parse(next.ts) - Date.parse(before.ts);
  return (
    bucketOf(before.seq, level) === bucketOf(next.seq, level) &&
    step_ms > 0 &&
    step_ms <= GAP_INTERVALS * next.interval_s * 1000 &&
    (before.gpu_energy_j === null) === (next.gpu_energy_j === null)
  );
}

/**
 * One sample in place of several that follow each other: means over time of what was measured, the sum of energies
 * and of intervals, `seq` and `ts` of the last. What was read well counts; what was doubted only if nothing else is
 * there, and stays marked as doubted.
 *
 * @param samples at least one
 */
export function foldTelemetry(samples: readonly TelemetrySample[]): TelemetrySample {
  const last = samples.at(-1)!;
  const folded: TelemetrySample = {
    ...last,
    interval_s: samples.reduce((sum, s) => sum + s.interval_s, 0),
    quality: { ...last.quality },
  };
  for (const field of MEASURED_FIELDS) {
    const { value, quality } = foldField(samples, field);
    folded[field] = value;
    folded.quality[field] = quality;
  }
  return folded;
}

/** Best first. */
const QUALITIES = ["good", "suspect", "stale"] as const;

function foldField(samples: readonly TelemetrySample[], field: MeasuredField) {
  const measured = samples.filter((s) => s[field] !== null);
  if (field === "gpu_energy_j" && measured.length > 0) {
    // Every joule was used, whatever was thought of its reading; the worst judgement holds for the sum.
    const quality = [...QUALITIES].reverse().find((q) => measured.some((s) => s.quality[field] === q));
    return { value: measured.reduce((sum, s) => sum + (s[field] ?? 0), 0), quality: quality ?? "good" };
  }
  for (const quality of QUALITIES) {
    const used = measured.filter((s) => s.quality[field] === quality);
    if (used.length === 0) continue;
    const seconds = used.reduce((sum, s) => sum + s.interval_s, 0);
    return { value: used.reduce((sum, s) => sum + (s[field] ?? 0) * s.interval_s, 0) / seconds, quality };
  }
  return { value: null, quality: "missing" as const };
}

/**
 * The worst of several scores speaks for all. It takes the place of the score of `sample`, the one that theirs were
 * rolled up into, because the aggregator joins a score to its sample by `seq`; null: theirs have already left.
 *
 * @param scores at least one
 */
export function foldScores(
  scores: readonly Score[],
  sample: Pick<TelemetrySample, "seq" | "ts"> | null,
): Score {
  const worst = scores.reduce((a, b) => (b.d > a.d ? b : a));
  return sample ? { ...worst, seq: sample.seq, ts: sample.ts } : worst;
}
