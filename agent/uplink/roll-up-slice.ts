import type * as z from "zod";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { Score } from "../../shared/contracts/score.ts";
import { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import type { LetterFile } from "./letter-file.ts";
import { bucketOf, foldScores, foldTelemetry, leadingRun, ROLL_UP_LEVELS, ROLL_UP_READS } from "./roll-up.ts";

/** What one slice freed: letters that are part of another now, and letters that nobody could have read. */
interface Freed {
  merged: number;
  unreadable: number;
}

const NOTHING: Freed = { merged: 0, unreadable: 0 };

interface Read<T> {
  id: number;
  value: T;
}

/**
 * Rolls up the oldest run of samples behind the id `after`, and the scores of the same samples with them: the finest
 * level first. At most two dozen letters, so that it takes a millisecond or two. Frees nothing where everything is
 * as coarse as it gets.
 */
export function rollUpSlice(disk: LetterFile, after: number): Freed {
  for (let level = 0; level < ROLL_UP_LEVELS; level++) {
    const freed = rollUpLevel(disk, level, after);
    if (freed.merged + freed.unreadable > 0) return freed;
  }
  return NOTHING;
}

function rollUpLevel(disk: LetterFile, level: number, after: number): Freed {
  let merged = 0;
  // A run of one frees nothing, but opens the way to the next.
  for (let runs = 0; runs < ROLL_UP_READS && merged === 0; runs++) {
    const samples = readable(disk, "telemetry", TelemetrySample, level, after);
    const scores = readable(disk, "score", Score, level, after);
    if (samples.unreadable + scores.unreadable > 0)
      return { merged, unreadable: samples.unreadable + scores.unreadable };
    const first_seq = samples.values[0]?.value.seq ?? Number.POSITIVE_INFINITY;
    const orphans = leadingScores(scores.values, level, first_seq);
    if (orphans.length > 0) {
      merged += replaceScores(disk, orphans, null);
      continue;
    }
    const run = samples.values.slice(0, leadingRun(samples.values.map(contentOf), level));
    if (run.length === 0) return NOTHING;
    const sample = foldTelemetry(run.map(contentOf));
    const theirs = scores.values.filter(({ value }) => value.seq >= first_seq && value.seq <= sample.seq);
    merged += replaceAll(disk, run, sample);
    if (theirs.length > 0) merged += replaceScores(disk, theirs, sample);
  }
  return { merged, unreadable: 0 };
}

/** Scores whose samples have already left, of one bucket; none while more of them may still come. */
function leadingScores(scores: Read<Score>[], level: number, before_seq: number): Read<Score>[] {
  const [first] = scores;
  if (!first || first.value.seq >= before_seq) return [];
  const bucket = bucketOf(first.value.seq, level);
  const end = scores.findIndex(
    ({ value }) => value.seq >= before_seq || bucketOf(value.seq, level) !== bucket,
  );
  if (end < 0) return scores.length < ROLL_UP_READS ? [] : scores;
  return scores.slice(0, end);
}

function replaceScores(disk: LetterFile, scores: Read<Score>[], sample: TelemetrySample | null): number {
  return replaceAll(disk, scores, foldScores(scores.map(contentOf), sample));
}

/** One letter in the place of the last of several. @returns how many fewer there are */
function replaceAll(disk: LetterFile, letters: Read<unknown>[], message: object): number {
  const last = letters.at(-1);
  if (!last) return 0;
  for (const { id } of letters) if (id !== last.id) disk.remove("history", id);
  disk.replace(last.id, JSON.stringify(message));
  return letters.length - 1;
}

/** The oldest of one channel and level. What cannot be read is removed: the aggregator would refuse it as well. */
function readable<T>(
  disk: LetterFile,
  channel: "telemetry" | "score",
  schema: z.ZodType<T>,
  level: number,
  after: number,
): { values: Read<T>[]; unreadable: number } {
  const values: Read<T>[] = [];
  let unreadable = 0;
  for (const { id, payload } of disk.rolled(channel, level, after, ROLL_UP_READS)) {
    const parsed = parsePayload(schema, Buffer.from(payload));
    if (parsed.ok) values.push({ id, value: parsed.value });
    else {
      disk.remove("history", id);
      unreadable++;
    }
  }
  return { values, unreadable };
}

function contentOf<T>({ value }: Read<T>): T {
  return value;
}
