import type { ModelFile } from "../../shared/contracts/model.ts";
import type { Score } from "../../shared/contracts/score.ts";
import type { Refinement } from "./refinement.ts";
import type { Dynamics } from "./score-dynamics.ts";

/**
 * Log-normal models of D in nominal and in anomalous operation, and how much one score says for either. NASA's MMS
 * (technology TOP2-306) compares the likelihood of the incoming scores under two such models.
 */
export interface ScoreModels {
  /** Mean of ln D where nominal operation is at its worst, and in the anomalies that are to be found. */
  nominal_log_mean: number;
  anomalous_log_mean: number;
  /** Standard deviation of ln D from one score to the next, of both. */
  log_std: number;
  /** Independent scores per score. */
  effective_share: number;
}

/** Fewer anomalous scores than this in training say nothing; then anomalies are assumed this far above nominal. */
const ANOMALOUS_MIN = 100;
const ASSUMED_SHIFT_STD = 2;
/** Nearer to each other than this, the two models would take hours to tell apart. */
const SHIFT_MIN_STD = 1;
/** Nominal operation is modelled where its slow part stands this many of its standard deviations above the mean. */
const SLOW_REACH = 3;

/**
 * The two models: what the IMS model file says of D, how D moves in time, and what confirmed and rejected incidents
 * taught. D's variance has a fast part (sensor noise, new at every score) and a slow one (the operating point, which
 * stays for hours). Only the fast part averages out, so nominal operation is modelled at the upper end of the slow
 * one: the error rates hold for the racks and hours of highest nominal D, and are better for all others.
 */
export function scoreModels(
  distributions: ModelFile["distributions"],
  dynamics: Dynamics,
  refinement: Refinement,
): ScoreModels {
  const { nominal, anomalous } = distributions;
  const total_std = nominal.log_std;
  const log_std = total_std * Math.sqrt(1 - dynamics.slow_share) * refinement.spread_factor;
  const slow_std = total_std * Math.sqrt(dynamics.slow_share);
  const nominal_log_mean = nominal.log_mean + SLOW_REACH * slow_std + refinement.nominal_shift * total_std;
  const trained =
    anomalous && anomalous.count >= ANOMALOUS_MIN
      ? anomalous.log_mean
      : nominal.log_mean + ASSUMED_SHIFT_STD * total_std;
  return {
    nominal_log_mean,
    anomalous_log_mean: Math.max(
      trained + refinement.anomalous_shift * total_std,
      nominal_log_mean + SHIFT_MIN_STD * log_std,
    ),
    log_std,
    effective_share: dynamics.effective_share,
  };
}

/** D = 0 has no logarithm; it comes from a sample inside a box, or exactly on a centre. */
const D_MIN = 1e-6;

/**
 * The log-likelihood ratio of one score, anomalous over nominal: linear in ln D, since both models have the same
 * spread. With equal spreads more D is always more evidence. Of scores that repeat each other in part, each counts
 * for its independent share.
 */
export function logRatio(models: ScoreModels, d: number): number {
  const { nominal_log_mean, anomalous_log_mean, log_std, effective_share } = models;
  const shift = (anomalous_log_mean - nominal_log_mean) / log_std;
  const z = (Math.log(Math.max(d, D_MIN)) - (nominal_log_mean + anomalous_log_mean) / 2) / log_std;
  return effective_share * shift * z;
}

/**
 * What a departure that an agent reports adds, per score: it stands in about a third of the scores of a fault and in
 * fewer than one in ten thousand nominal ones, a ratio of exp(8); it rests on the same readings as D, so less.
 */
const DEPARTURE_LOG_RATIO = 6;

/** The evidence of a score and of the departure that came with it. */
export function withDeparture(log_ratio: number, departure: Score["departure"] | null | undefined): number {
  return departure ? Math.max(log_ratio, 0) + DEPARTURE_LOG_RATIO : log_ratio;
}
