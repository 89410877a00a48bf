import type { DeviationHistory, DeviationStep } from "../../shared/contracts/report.ts";
import { quantile } from "../../shared/ims/statistics.ts";
import { isoTime } from "../../shared/time.ts";
import type { RackDeviation } from "../store/store.ts";

const WORST = 10;

interface Thresholds {
  tau_fast: number;
  tau_persist: number;
}

/**
 * How far the racks were from nominal operation over time: percentiles of their mean D in each step.
 *
 * @param deviations each rack's D per step, in order of time
 */
export function deviationHistory(
  deviations: readonly RackDeviation[],
  thresholds: Thresholds | null,
): DeviationHistory {
  const { tau_fast, tau_persist } = thresholds ?? { tau_fast: null, tau_persist: null };
  const steps = [...Map.groupBy(deviations, (entry) => entry.ts_ms)].map(([ts_ms, racks]) =>
    deviationStep(ts_ms, racks, thresholds),
  );
  const worst = [...Map.groupBy(deviations, (entry) => entry.rack_id)]
    .map(([rack_id, entries]) => ({
      rack_id,
      d_mean: entries.reduce((sum, entry) => sum + entry.d_mean, 0) / entries.length,
      d_max: entries.reduce((most, entry) => Math.max(most, entry.d_max), 0),
      above_fast_share: tau_fast === null ? null : countAbove(entries, tau_fast) / entries.length,
    }))
    .sort((a, b) => b.d_mean - a.d_mean)
    .slice(0, WORST);
  return { tau_fast, tau_persist, steps, worst };
}

function deviationStep(
  ts_ms: number,
  racks: readonly RackDeviation[],
  thresholds: Thresholds | null,
): DeviationStep {
  const sorted = Float64Array.from(racks, (rack) => rack.d_mean).sort();
  return {
    ts: isoTime(ts_ms),
    racks: racks.length,
    d_p50: quantile(sorted, 0.5),
    d_p90: quantile(sorted, 0.9),
    d_p99: quantile(sorted, 0.99),
    d_max: sorted.at(-1)!,
    above_fast: thresholds && countAbove(racks, thresholds.tau_fast),
    above_persist: thresholds && countAbove(racks, thresholds.tau_persist),
  };
}

function countAbove(entries: readonly RackDeviation[], tau: number): number {
  return entries.filter((entry) => entry.d_mean >= tau).length;
}
