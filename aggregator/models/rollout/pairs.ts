import { binOf, emptyBins } from "./tallies.ts";

/** One rack's samples, each scored by the model before and by the new one. */
export interface PairTally {
  samples: number;
  alarms_before: number;
  alarms_after: number;
  /** Samples on which one of the two alarms and the other does not. */
  differ: number;
  /** Histograms of D / tau_fast. */
  bins_before: number[];
  bins_after: number[];
}

export interface Pairs {
  /** One sample: D / tau_fast by both models. */
  add(rack_id: string, ratio_before: number, ratio_after: number): void;
  all(): PairTally[];
  clear(): void;
}

/** What a rollout's two models make of the very same samples: their difference is no chance of the hour. */
export function scorePairs(): Pairs {
  const racks = new Map<string, PairTally>();
  return {
    add(rack_id, ratio_before, ratio_after) {
      const tally = racks.get(rack_id) ?? {
        ...{ samples: 0, alarms_before: 0, alarms_after: 0, differ: 0 },
        ...{ bins_before: emptyBins(), bins_after: emptyBins() },
      };
      racks.set(rack_id, tally);
      const [before, after] = [ratio_before >= 1, ratio_after >= 1];
      tally.samples++;
      tally.alarms_before += Number(before);
      tally.alarms_after += Number(after);
      tally.differ += Number(before !== after);
      tally.bins_before[binOf(ratio_before)]!++;
      tally.bins_after[binOf(ratio_after)]!++;
    },
    all: () => [...racks.values()],
    clear: () => racks.clear(),
  };
}
