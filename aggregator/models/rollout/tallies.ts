/** Edges of the histogram of D / tau_fast, on which models of other scales compare; 1 is an alarm. */
export const RATIO_EDGES = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.75] as const;

/** One rack's scores under one model over some time; plain JSON. */
export interface Tally {
  model_id: string;
  scores: number;
  /** Scores with D ≥ tau_fast. */
  alarms: number;
  /** How often MMS called the rack persistent. */
  entered: number;
  /** Histogram of D / tau_fast. */
  bins: number[];
}

interface TalliedScore {
  model_id: string;
  d: number;
  tau_fast: number;
  /** MMS called the rack persistent with this score. */
  entered: boolean;
}

/** Counts every rack's scores, so that its time after a swap can be held against its time before. */
export interface Tallies {
  add(rack_id: string, now_ms: number, score: TalliedScore): void;
  /** What a rack scored from an instant on, under the model that it ran last; null if nothing. */
  latest(rack_id: string, from_ms: number): Tally | null;
  /** What it scored under one model from an instant on. */
  under(rack_id: string, model_id: string, from_ms: number): Tally;
  /** Ends every bucket, so that an instant from which on is counted falls between two. */
  cut(): void;
}

interface Bucket extends Tally {
  start_ms: number;
  cuts: number;
}

/** @param keep_ms how far back anybody asks; buckets are a sixtieth of it, at most a minute */
export function scoreTallies(keep_ms: number): Tallies {
  const width_ms = Math.min(60_000, keep_ms / 60);
  const racks = new Map<string, Bucket[]>();
  let cuts = 0;

  const sum = (buckets: readonly Bucket[], model_id: string): Tally => {
    const total = emptyTally(model_id);
    for (const bucket of buckets) {
      if (bucket.model_id !== model_id) continue;
      total.scores += bucket.scores;
      total.alarms += bucket.alarms;
      total.entered += bucket.entered;
      for (const [i, count] of bucket.bins.entries()) total.bins[i]! += count;
    }
    return total;
  };
  const from = (rack_id: string, from_ms: number) =>
    (racks.get(rack_id) ?? []).filter((bucket) => bucket.start_ms >= from_ms);
  return {
    add(rack_id, now_ms, { model_id, d, tau_fast, entered }) {
      const buckets = racks.get(rack_id) ?? [];
      racks.set(rack_id, buckets);
      let bucket = buckets.at(-1);
      const fits = (b: Bucket) =>
        b.model_id === model_id && b.cuts === cuts && now_ms - b.start_ms < width_ms;
      if (!bucket || !fits(bucket)) {
        bucket = { ...emptyTally(model_id), start_ms: now_ms, cuts };
        buckets.push(bucket);
        while (buckets[0]!.start_ms < now_ms - keep_ms) buckets.shift();
      }
      bucket.scores++;
      if (d >= tau_fast) bucket.alarms++;
      if (entered) bucket.entered++;
      bucket.bins[binOf(d / tau_fast)]!++;
    },
    latest(rack_id, from_ms) {
      const buckets = from(rack_id, from_ms);
      const model_id = buckets.at(-1)?.model_id;
      return model_id === undefined ? null : sum(buckets, model_id);
    },
    under: (rack_id, model_id, from_ms) => sum(from(rack_id, from_ms), model_id),
    cut() {
      cuts++;
    },
  };
}

export const emptyTally = (model_id: string): Tally => ({
  ...{ model_id, scores: 0, alarms: 0, entered: 0 },
  bins: emptyBins(),
});

export const emptyBins = (): number[] => new Array<number>(RATIO_EDGES.length + 1).fill(0);

/** @param ratio D / tau_fast */
export function binOf(ratio: number): number {
  const above = RATIO_EDGES.findIndex((edge) => ratio < edge);
  return above === -1 ? RATIO_EDGES.length : above;
}
