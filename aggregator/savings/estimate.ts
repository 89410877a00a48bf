import { type EnergyInterval, tokensPs, totalKwh } from "./interval.ts";
import { dot, fitLeastSquares, quadraticForm, type Regression } from "./regression.ts";

interface SavingEstimate {
  /** Of the optimised intervals: what they would have used unoptimised, and what they did use. */
  baseline_kwh: number;
  actual_kwh: number;
  saved_kwh: number;
  saved_pct: number;
  /** 95 %: where the saving lies, as far as load and hour explain the baseline. */
  saved_kwh_interval: [low: number, high: number];
  saved_pct_interval: [low: number, high: number];
}

export interface SavingsReport {
  /** `switchback` where unoptimised intervals lie among the optimised ones, else `matched_regression`. */
  method: "switchback" | "matched_regression";
  /** null where it cannot be told; `warnings` says why. */
  estimate: SavingEstimate | null;
  optimised_hours: number;
  training: {
    hours: number;
    /** Hours of the day that the unoptimised intervals cover, of 24. */
    hours_of_day: number;
    /** Share of the optimised intervals whose load and hour of the day were seen in training. */
    coverage: number;
    r_squared: number | null;
    residual_pct: number | null;
  };
  warnings: string[];
}

const INTERVALS_PER_H = 4;
/** Half a day: fewer intervals say too little of load and hour. */
const TRAINING_MIN = 48;
/** The daily course needs nearly a whole day of examples. */
const HOURS_OF_DAY_MIN = 22;
const COVERAGE_MIN = 0.95;
/** So far beyond the loads of the training a prediction is still no extrapolation, as a share of their range. */
const LOAD_SLACK = 0.05;
/** An interval of which less than this was reported says little of the site. */
const REPORTED_MIN = 0.5;
/** From this share of unoptimised intervals among the optimised, with at least this many changes, it is a switchback. */
const SWITCHBACK_SHARE = 0.2;
const SWITCHBACK_CHANGES = 3;

/**
 * What was saved in a window. The baseline is the unoptimised plant: the energy of a rack per interval as a function
 * of its load and the hour of the day, fitted on intervals in which nothing was driven. Supply and inlet temperature,
 * fan and pump speed are no regressors, because they are what the optimizer changes.
 *
 * @param training unoptimised intervals, in order of time
 * @param window the intervals to be judged, in order of time; only those in which something was driven count
 */
export function estimateSaving(
  training: readonly EnergyInterval[],
  window: readonly EnergyInterval[],
): SavingsReport {
  const warnings: string[] = [];
  const typical_h = medianRackHours([...training, ...window]);
  const reported = (interval: EnergyInterval) => interval.rack_hours >= REPORTED_MIN * typical_h;
  const learnt = training.filter((interval) => interval.unoptimised && reported(interval));
  const judged = window.filter((interval) => interval.driven_share > 0);
  const hours = new Set(learnt.map(hourOfDay));
  const daily = hours.size >= HOURS_OF_DAY_MIN;
  const range = loadRange(learnt);
  const coverage = judged.filter((interval) => isCovered(interval, range, hours)).length / judged.length;
  const report: SavingsReport = {
    method: isSwitchback(window) ? "switchback" : "matched_regression",
    estimate: null,
    optimised_hours: judged.length / INTERVALS_PER_H,
    training: {
      ...{ hours: learnt.length / INTERVALS_PER_H, hours_of_day: hours.size },
      ...{ coverage: judged.length > 0 ? coverage : 0, r_squared: null, residual_pct: null },
    },
    warnings,
  };
  if (judged.length === 0) warnings.push("nothing was optimised in this time");
  if (learnt.length < TRAINING_MIN) {
    warnings.push(
      `${learnt.length / INTERVALS_PER_H} h of unoptimised operation are known; ${TRAINING_MIN / INTERVALS_PER_H} h are needed`,
    );
  }
  if (warnings.length > 0) return report;
  const meanKw = (interval: EnergyInterval) => totalKwh(interval) / interval.rack_hours;
  const fitted = [daily, false]
    .map((with_hours) => {
      const rowOf = (interval: EnergyInterval) => regressors(interval, with_hours);
      const fit = fitLeastSquares(learnt.map(rowOf), learnt.map(meanKw));
      return fit && { fit, rowOf, with_hours };
    })
    .find((candidate) => candidate !== null);
  if (!fitted) {
    warnings.push("the load of the unoptimised operation hardly varied, so that its effect cannot be told");
    return report;
  }
  if (!fitted.with_hours)
    warnings.push("the baseline knows the load alone: too few hours of the day were seen");
  if (coverage < COVERAGE_MIN) {
    const share = (100 * (1 - coverage)).toFixed(0);
    warnings.push(`${share} % of the optimised time had a load or an hour that was not seen in training`);
  }
  const mean_kw = learnt.reduce((sum, interval) => sum + meanKw(interval), 0) / learnt.length;
  report.training.r_squared = fitted.fit.r_squared;
  report.training.residual_pct = (100 * fitted.fit.residual_std) / mean_kw;
  report.estimate = predictSaving(fitted.fit, judged, fitted.rowOf);
  return report;
}

function predictSaving(
  fit: Regression,
  judged: readonly EnergyInterval[],
  rowOf: (interval: EnergyInterval) => number[],
): SavingEstimate {
  const weighted = new Float64Array(fit.coefficients.length);
  let actual_kwh = 0;
  let squared_h = 0;
  for (const interval of judged) {
    const { rack_hours } = interval;
    rowOf(interval).forEach((x, i) => {
      weighted[i]! += x * rack_hours;
    });
    actual_kwh += totalKwh(interval);
    squared_h += rack_hours * rack_hours;
  }
  const baseline_kwh = dot(weighted, fit.coefficients);
  // What the coefficients leave open, and what the unoptimised plant itself would have scattered by.
  const variance = quadraticForm(fit.covariance, weighted) + squared_h * fit.long_run_variance;
  const half_kwh = fit.critical * Math.sqrt(variance);
  const saved_kwh = baseline_kwh - actual_kwh;
  // The actual energy is known, so that a share's bounds follow from the baseline's.
  const shareOf = (saved: number) => (100 * saved) / (actual_kwh + saved);
  return {
    ...{ baseline_kwh, actual_kwh, saved_kwh, saved_pct: shareOf(saved_kwh) },
    saved_kwh_interval: [saved_kwh - half_kwh, saved_kwh + half_kwh],
    saved_pct_interval: [shareOf(saved_kwh - half_kwh), shareOf(saved_kwh + half_kwh)],
  };
}

/** Load (and its square: idle power, leakage, fan curves), and two harmonics of the day for the weather's course. */
function regressors(interval: EnergyInterval, with_hours: boolean): number[] {
  const load = tokensPs(interval) / 10_000;
  const day = (2 * Math.PI * interval.start_ms) / 86_400_000;
  const course = [Math.sin(day), Math.cos(day), Math.sin(2 * day), Math.cos(2 * day)];
  return [1, load, load * load, ...(with_hours ? course : [])];
}

function hourOfDay(interval: EnergyInterval): number {
  return Math.floor(interval.start_ms / 3_600_000) % 24;
}

function loadRange(intervals: readonly EnergyInterval[]): [low: number, high: number] {
  const loads = intervals.map(tokensPs);
  const low = Math.min(...loads);
  const high = Math.max(...loads);
  const slack = LOAD_SLACK * (high - low);
  return [low - slack, high + slack];
}

function isCovered(interval: EnergyInterval, [low, high]: [number, number], hours: Set<number>): boolean {
  const load = tokensPs(interval);
  return load >= low && load <= high && hours.has(hourOfDay(interval));
}

function isSwitchback(window: readonly EnergyInterval[]): boolean {
  let changes = 0;
  for (let i = 1; i < window.length; i++) {
    if (window[i]!.unoptimised !== window[i - 1]!.unoptimised) changes++;
  }
  const off = window.filter((interval) => interval.unoptimised).length;
  return changes >= SWITCHBACK_CHANGES && off >= SWITCHBACK_SHARE * window.length;
}

function medianRackHours(intervals: readonly EnergyInterval[]): number {
  const hours = intervals.map((interval) => interval.rack_hours).sort((a, b) => a - b);
  return hours[Math.floor(hours.length / 2)] ?? 0;
}
