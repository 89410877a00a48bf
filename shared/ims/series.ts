import type { ModelFile } from "../contracts/model.ts";
import { createScorer, type Verdict } from "./score.ts";
import { type TemporalComputer, temporalComputer } from "./temporal.ts";
import { type Taus, thresholdsAt } from "./thresholds.ts";

interface SeriesVerdict extends Verdict, Taus {}

/** Scores one series (a rack, a recording) row by row: what a model needs of the past is kept here. */
export interface SeriesScorer {
  readonly inputs: TemporalComputer["inputs"];
  /** Fills the windows with a row of the past, without judging it. */
  prime(row: ArrayLike<number>): void;
  /** Scores the next row of inputs, by this row and earlier ones alone. The result is valid until the next push. */
  push(row: ArrayLike<number>): SeriesVerdict;
}

/**
 * A scorer for models with derived features or an adaptive baseline; without either it is `createScorer`.
 *
 * The adaptive baseline lets the clusters follow the series: after each row that is judged nominal (D < tau_persist),
 * they move by the model's weight of the way towards it, all together. A rig that warms up stays nominal, whereas
 * a deviation that arrives faster than the baseline moves freezes it. The price: a fault that creeps in more slowly
 * is learnt as nominal, so a model has to ask for it.
 *
 * @throws SkadiError SKADI_MODEL_SCHEMA as `createScorer`
 */
export function createSeriesScorer(model: ModelFile): SeriesScorer {
  const scorer = createScorer(model);
  const F = model.features.length;
  const computer = temporalComputer(model.features, model.derived ?? []);
  const weight = model.baseline_weight ?? 0;
  const { mean, scale } = model.scaler;
  const x = new Float64Array(F);
  /** How far the clusters have moved, in physical units. */
  const moved = new Float64Array(F);
  const verdict: SeriesVerdict = {
    d: 0,
    cluster: 0,
    contributions: new Float64Array(F),
    missing: 0,
    tau_fast: 0,
    tau_persist: 0,
  };
  return {
    inputs: computer.inputs,
    prime(row) {
      computer.push(row, x);
    },
    push(row) {
      computer.push(row, x);
      for (let j = 0; j < F; j++) x[j]! -= moved[j]!;
      scorer.score(x, verdict);
      const { tau_fast, tau_persist } = thresholdsAt(model, verdict.cluster);
      verdict.tau_fast = tau_fast;
      verdict.tau_persist = tau_persist;
      if (weight === 0 || !(verdict.d < tau_persist)) return verdict;
      const center = model.centers[verdict.cluster]!;
      for (let j = 0; j < F; j++) {
        const away = x[j]! - (center[j]! * scale[j]! + mean[j]!);
        if (!Number.isNaN(away)) moved[j]! += weight * away;
      }
      return verdict;
    },
  };
}
