import type { DerivedFeature, ThresholdRule } from "../contracts/model.ts";
import type { TrainOptions } from "./train.ts";

/** Rows of the window whose means are scored: 20 s at 1 Hz. */
const MEAN_ROWS = 20;
const BASELINE_WEIGHT = 0.01;
/** False alarms per nominal row that the tail is asked for. */
const TAIL: ThresholdRule = { method: "tail", fast_rate: 0.01, persist_rate: 1e-4 };

/** What `trainModel` needs to know of a recipe. */
export type Recipe = Required<
  Pick<TrainOptions, "kind" | "clusters" | "features" | "derived" | "threshold" | "cross_fit">
> &
  Pick<TrainOptions, "baseline_weight">;

/** Each column's mean over the last rows, in place of the column. */
export function windowMeans(columns: readonly string[], window_rows: number): DerivedFeature[] {
  return columns.map((of) => ({ name: `${of} mean ${window_rows}`, of, stat: "mean", window_rows }));
}

/**
 * The recipe for one machine's recording at about 1 Hz with a short nominal start: docs/models.md says how it was
 * chosen. Not for the racks, whose samples do not form one series.
 */
export function seriesRecipe(columns: readonly string[]): Recipe {
  const derived = windowMeans(columns, MEAN_ROWS);
  return {
    kind: "mahalanobis",
    clusters: 1,
    features: derived.map(({ name }) => name),
    derived,
    threshold: TAIL,
    cross_fit: true,
    baseline_weight: BASELINE_WEIGHT,
  };
}
