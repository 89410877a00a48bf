import { type Rejection, reject } from "../../shared/errors.ts";
import { FEATURES } from "../../shared/ims/features.ts";

/** Fewer samples do not tell a sensor that is absent from one that is slow to start: a minute at one per 5 s. */
const SAMPLES_MIN = 12;

/** Which features this rack delivers, as its own readings tell since the agent started. */
export interface Availability {
  /** @param x the sample's features, NaN where there was no good reading */
  note(x: Float64Array): void;
  /** Refuses a model if more than `missing_max` of its features have never been there. */
  judge(features: readonly string[], missing_max: number): Rejection | undefined;
}

export function availability(): Availability {
  const own: readonly string[] = FEATURES;
  const delivered = new Uint8Array(FEATURES.length);
  let samples = 0;
  return {
    note(x) {
      samples++;
      for (let j = 0; j < FEATURES.length; j++) if (!Number.isNaN(x[j])) delivered[j] = 1;
    },
    judge(features, missing_max) {
      if (samples < SAMPLES_MIN) return undefined;
      const missing = features.filter((name) => !delivered[own.indexOf(name)]);
      if (missing.length <= missing_max) return undefined;
      return reject("SKADI_MODEL_UNAVAILABLE", {
        field: "features",
        value: `${missing.length} of ${features.length} missing`,
        expected: `at most ${missing_max} without a working sensor on this rack, not ${missing.join(", ")}`,
      });
    },
  };
}
