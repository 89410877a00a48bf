import type { ModelFile, ThresholdRule } from "../contracts/model.ts";
import { quantile, upperSorted } from "./statistics.ts";
import { fitTail, tailQuantile } from "./tail.ts";

export interface Taus {
  tau_fast: number;
  tau_persist: number;
}

/** The described system's: p95 and p98 of the nominal distances. */
export const DESCRIBED_RULE: ThresholdRule = { method: "percentile", fast: 0.95, persist: 0.98 };

/** A quantile of fewer distances than this is not worth the name; such a cluster takes the global thresholds. */
const CLUSTER_ROWS_MIN = 100;
/** In standard deviations. Rows inside boxes have D = 0, but a threshold of 0 would call everything a deviation. */
const TAU_MIN = 0.01;
const PERSIST_STEP_MIN = 1.01;

/** What a model file says of its thresholds. */
export type Thresholds = Pick<ModelFile, "tau_fast" | "tau_persist" | "threshold" | "tau_per_cluster">;

/**
 * Thresholds from the distances of nominal rows.
 *
 * @param d distances of n rows, of which `cluster` gives the nearest cluster, below k
 */
export function fitThresholds(
  rule: ThresholdRule,
  d: Float64Array,
  cluster: Int32Array,
  k: number,
): Thresholds {
  const global = tausOf(rule, upperSorted(d, lowestQuantile(rule)));
  if (rule.method !== "per_cluster") return { ...global, threshold: rule };
  const taus = Array.from({ length: k }, (_, c) => {
    const own = d.filter((_, i) => cluster[i] === c).sort();
    return own.length < CLUSTER_ROWS_MIN ? global : tausOf(rule, own);
  });
  const tau_per_cluster = {
    fast: taus.map((t) => t.tau_fast),
    persist: taus.map((t) => t.tau_persist),
  };
  return { ...global, threshold: rule, tau_per_cluster };
}

/** Below this quantile, no rule looks at the distances. */
function lowestQuantile(rule: ThresholdRule): number {
  return rule.method === "percentile" || rule.method === "per_cluster" ? rule.fast : 0;
}

function tausOf(rule: ThresholdRule, sorted: Float64Array): Taus {
  const { fast, persist } = rawTaus(rule, sorted);
  const tau_fast = Math.max(TAU_MIN, fast);
  return { tau_fast, tau_persist: persist > tau_fast ? persist : tau_fast * PERSIST_STEP_MIN };
}

function rawTaus(rule: ThresholdRule, sorted: Float64Array): { fast: number; persist: number } {
  switch (rule.method) {
    case "percentile":
    case "per_cluster":
      return { fast: quantile(sorted, rule.fast), persist: quantile(sorted, rule.persist) };
    case "tail": {
      const tail = fitTail(sorted);
      const at = (rate: number) => tailQuantile(sorted, tail, rate);
      return { fast: at(rule.fast_rate), persist: at(rule.persist_rate) };
    }
    case "margin": {
      const largest = sorted.at(-1)!;
      return { fast: rule.fast * largest, persist: rule.persist * largest };
    }
  }
}

/** The thresholds that hold for a row whose nearest cluster is `cluster`. */
export function thresholdsAt(model: Thresholds, cluster: number): Taus {
  const own = model.tau_per_cluster;
  if (!own) return model;
  return {
    tau_fast: own.fast[cluster] ?? model.tau_fast,
    tau_persist: own.persist[cluster] ?? model.tau_persist,
  };
}
