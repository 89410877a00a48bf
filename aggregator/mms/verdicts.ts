import type { CauseVerdict } from "../../shared/contracts/incident.ts";
import {
  CAUSE_CLASSES,
  type CauseClass,
  classProbabilities,
  compress,
  hasSign,
  SENSOR_SIGNS,
  verdictOf,
} from "./causes.ts";
import type { Observed } from "./evidence.ts";

/** A second alarm of one incident goes on where the first ended: remembered for fifty minutes of looks at one in 5 s. */
const REMEMBERED_LOOKS = 600;
/** What a look counts that shows nothing at all. */
const WEIGHT_MIN = 0.02;

interface Followed {
  probabilities: Record<CauseClass, number>;
  weight: number;
  calm_looks: number;
}

/**
 * Follows what racks are thought to suffer from. The verdict is the mean over the alarm, in which each look counts as
 * much as it shows: neither the first looks nor the rack's way back, when its traces fade, are the last word.
 */
export function causeFollower() {
  const followed = new Map<string, Followed>();
  return {
    next(rack_id: string, observed: Observed): CauseVerdict {
      const now = classProbabilities(observed);
      const before = followed.get(rack_id);
      const shown = strengthOf(observed);
      const weight = (before?.weight ?? 0) + shown;
      const probabilities = before ? { ...before.probabilities } : now;
      if (before) {
        for (const name of CAUSE_CLASSES)
          probabilities[name] += (shown / weight) * (now[name] - probabilities[name]);
      }
      followed.set(rack_id, { probabilities, weight, calm_looks: 0 });
      return verdictOf(probabilities, observed);
    },
    /** A look at the rack without an alarm. */
    calm(rack_id: string): void {
      const before = followed.get(rack_id);
      if (before && ++before.calm_looks > REMEMBERED_LOOKS) followed.delete(rack_id);
    },
  };
}

/** How far all quantities together are off, and how many sensors' signs are there. */
function strengthOf({ values, signs }: Observed): number {
  let sum = WEIGHT_MIN;
  for (const value of values) if (!Number.isNaN(value)) sum += compress(value) ** 2;
  for (const s of SENSOR_SIGNS) if (hasSign(signs[s]!)) sum++;
  return sum;
}
