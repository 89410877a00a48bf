/** How far incidents that were judged by people have moved the score models, in standard deviations of ln D. */
export interface Refinement {
  nominal_shift: number;
  anomalous_shift: number;
  /** Factor on the spread. */
  spread_factor: number;
}

export const UNREFINED: Refinement = { nominal_shift: 0, anomalous_shift: 0, spread_factor: 1 };

/** What has been learnt: sums over judged incidents. Kept in the store; an empty one is the trained models' own. */
export interface RefinementState {
  confirmed: number;
  rejected: number;
  /** Sums of the incidents' excesses, each bounded: over the anomalous mean, and over the nominal one. */
  confirmed_excess: number;
  rejected_excess: number;
}

export const NOTHING_LEARNT: RefinementState = {
  confirmed: 0,
  rejected: 0,
  confirmed_excess: 0,
  rejected_excess: 0,
};

/** The trained models count as this many incidents. */
const PRIOR_INCIDENTS = 5;
/** No incident moves a mean by more than this many standard deviations over the prior's weight, and all by half of one. */
const EXCESS_MAX = 2;
const SHIFT_MAX = 0.5;
const SPREAD_PER_SHIFT = 0.3;

/** Takes one judged incident in. `excess`: mean of ln D while the rack was persistent, over the model's mean, in std. */
export function learn(
  state: RefinementState,
  verdict: "confirmed" | "rejected",
  excess: { over_nominal: number; over_anomalous: number },
): RefinementState {
  const bounded = (value: number) => Math.min(EXCESS_MAX, Math.max(-EXCESS_MAX, value));
  if (verdict === "confirmed") {
    return {
      ...state,
      confirmed: state.confirmed + 1,
      confirmed_excess: state.confirmed_excess + bounded(excess.over_anomalous),
    };
  }
  return {
    ...state,
    rejected: state.rejected + 1,
    rejected_excess: state.rejected_excess + bounded(Math.max(0, excess.over_nominal)),
  };
}

/**
 * Means weighted with the prior. Many confirmed incidents of small D draw the anomalous model nearer (more is found),
 * many rejected ones draw the nominal model up and wider (less is reported); never by more than half a deviation.
 */
export function refinementOf(state: RefinementState): Refinement {
  const mean = (sum: number, n: number) =>
    Math.min(SHIFT_MAX, Math.max(-SHIFT_MAX, sum / (PRIOR_INCIDENTS + n)));
  const nominal_shift = mean(state.rejected_excess, state.rejected);
  return {
    nominal_shift,
    anomalous_shift: mean(state.confirmed_excess, state.confirmed),
    spread_factor: 1 + SPREAD_PER_SHIFT * nominal_shift,
  };
}
