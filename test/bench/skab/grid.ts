import type { ThresholdRule } from "../../../shared/contracts/model.ts";
import type { Detector } from "./detector.ts";

/** One row of the table: a detector and how it is called there. */
export interface Candidate {
  kind: string;
  threshold: string;
  smoothing: string;
  detector: Detector;
}

const KINDS: Record<string, Pick<Detector, "kind" | "clusters">> = {
  "kmeans 8": { kind: "kmeans", clusters: 8 },
  "kmeans 4": { kind: "kmeans", clusters: 4 },
  hyperbox: { kind: "hyperbox", clusters: 1 },
  mahalanobis: { kind: "mahalanobis", clusters: 1 },
};

type Threshold = Pick<Detector, "threshold" | "cross_fit">;

/** Thresholds of cross-fitted distances; the described percentile of the training rows' own ones comes first. */
function thresholdsOf({ kind }: Pick<Detector, "kind">): Record<string, Threshold> {
  const percentile: ThresholdRule = { method: "percentile", fast: 0.95, persist: 0.98 };
  const per_cluster: ThresholdRule = { ...percentile, method: "per_cluster" };
  const tail = (persist_rate: number): Threshold => ({
    threshold: { method: "tail", fast_rate: 0.01, persist_rate },
    cross_fit: true,
  });
  return {
    p98: { threshold: percentile, cross_fit: kind === "hyperbox" },
    "p98 per cluster": { threshold: per_cluster, cross_fit: kind === "hyperbox" },
    "1.5 × max": { threshold: { method: "margin", fast: 1, persist: 1.5 }, cross_fit: true },
    "tail 1e-3": tail(1e-3),
    "tail 1e-4": tail(1e-4),
  };
}

const STILL = { mean_rows: 1, baseline_weight: 0, ema: 1 };
/** Smoothing of D, means of the readings over windows, and means with a baseline that follows. */
const SMOOTHINGS: Record<string, Pick<Detector, "mean_rows" | "baseline_weight" | "ema">> = {
  none: STILL,
  "EMA 0.3 of D": { ...STILL, ema: 0.3 },
  "mean 10": { ...STILL, mean_rows: 10 },
  "mean 10, follows": { ...STILL, mean_rows: 10, baseline_weight: 0.01 },
  "mean 20": { ...STILL, mean_rows: 20 },
  "mean 20, follows": { ...STILL, mean_rows: 20, baseline_weight: 0.01 },
};

/** Eight clusters need all of the 400 rows; windows of means use up the first ones. */
const feasible = ({ detector }: Candidate) => detector.clusters < 8 || detector.mean_rows === 1;

export const CANDIDATES: readonly Candidate[] = Object.entries(KINDS)
  .flatMap(([kind, of_kind]) =>
    Object.entries(thresholdsOf(of_kind)).flatMap(([threshold, rule]) =>
      Object.entries(SMOOTHINGS).map(([smoothing, how]) => ({
        kind,
        threshold,
        smoothing,
        detector: { ...of_kind, ...rule, ...how },
      })),
    ),
  )
  .filter(feasible);
