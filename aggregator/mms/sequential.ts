import type { MMS_PHASES } from "../../shared/contracts/score.ts";
/** Where a rack stands: nothing, evidence under way, established, and established that it is going away. */
export type MmsPhase = (typeof MMS_PHASES)[number];

/** The sequential test of one rack. */
export interface SequentialTest {
  phase: MmsPhase;
  /** Evidence for an anomaly since it last was worth nothing: ≥ 0. */
  up: number;
  /** Evidence against, while there is an anomaly: ≤ 0. */
  down: number;
}

/** Logarithms of odds at which the test decides. */
export interface Bounds {
  alarm: number;
  clear: number;
}

export const FRESH_TEST: SequentialTest = { phase: "nominal", up: 0, down: 0 };

/**
 * Bounds for stated error rates.
 *
 * Alarm: a cumulative sum of log-likelihood ratios that starts anew at 0 (Page, "Continuous inspection schemes",
 * Biometrika 41, 1954) needs at least exp(h) nominal scores on average to reach h (Lorden, "Procedures for reacting to
 * a change in distribution", Ann. Math. Stat. 42, 1971), so that h = ln(scores per day ÷ false alarms per day).
 *
 * Clear: a sequential probability ratio test that accepts "nominal" at ln β does so with probability β at most while
 * the anomaly lasts (Wald, "Sequential tests of statistical hypotheses", Ann. Math. Stat. 16, 1945).
 */
export function boundsFor(rates: {
  scores_per_day: number;
  false_alarms_per_rack_day: number;
  miss_rate: number;
}): Bounds {
  return {
    alarm: Math.log(Math.max(2, rates.scores_per_day / rates.false_alarms_per_rack_day)),
    clear: -Math.log(rates.miss_rate),
  };
}

/** A single score is worth at most this share of the way to a decision: a lone spike decides nothing. */
const STEP_SHARE = 1 / 3;
/** Transient from this share of the way on; with the step above no score can lead past it. */
const TRANSIENT_SHARE = 1 / 3;

/** One score's worth of evidence; at most one change of phase, along nominal ⇄ transient → persistent ⇄ recovering → nominal. */
export function nextTest(before: SequentialTest, log_ratio: number, bounds: Bounds): SequentialTest {
  const { alarm, clear } = bounds;
  const rise = Math.min(log_ratio, alarm * STEP_SHARE);
  const fall = Math.max(log_ratio, -clear * STEP_SHARE);
  switch (before.phase) {
    case "nominal": {
      const up = Math.max(0, before.up + rise);
      return { phase: up >= alarm * TRANSIENT_SHARE ? "transient" : "nominal", up, down: 0 };
    }
    case "transient": {
      const up = Math.max(0, before.up + rise);
      if (up >= alarm) return { phase: "persistent", up: 0, down: 0 };
      return { phase: up === 0 ? "nominal" : "transient", up, down: 0 };
    }
    case "persistent": {
      const down = Math.min(0, before.down + fall);
      if (down <= -clear) return { phase: "recovering", up: 0, down: 0 };
      return { phase: "persistent", up: 0, down };
    }
    case "recovering": {
      const up = Math.max(0, before.up + Math.min(log_ratio, clear * STEP_SHARE));
      if (up >= clear) return { phase: "persistent", up: 0, down: 0 };
      const down = before.down + fall;
      return down <= -clear ? FRESH_TEST : { phase: "recovering", up, down: Math.min(0, down) };
    }
  }
}

/** An anomaly is established and not yet over. */
export const standsAlarmed = ({ phase }: SequentialTest): boolean =>
  phase === "persistent" || phase === "recovering";
