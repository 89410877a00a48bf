import type { Score } from "../../shared/contracts/score.ts";

type Judged = Pick<Score, "d" | "tau_fast" | "model_id">;

/** Weight of the newest score in a rack's slow D: a memory of about 3 minutes at one score in 5 s. */
const ALPHA = 0.03;
/** What is older than so many scores has next to no weight. */
export const SLOW_D_SCORES = 100;

/** The slow D with one more score. Another model has another scale: what is remembered is taken over in units of tau_fast. */
export function nextSlowD(remembered: number | null, before: Judged | null, score: Judged): number {
  if (remembered === null) return score.d;
  const same = before === null || before.model_id === score.model_id;
  const rescaled = same ? remembered : (remembered / before.tau_fast) * score.tau_fast;
  return rescaled + ALPHA * (score.d - rescaled);
}

/** The slow D after these scores, oldest first; null without any. */
export function slowDOf(scores: readonly Judged[]): number | null {
  return scores.reduce<number | null>((d, score, i) => nextSlowD(d, scores[i - 1] ?? null, score), null);
}
