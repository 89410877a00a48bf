import type { Cause, CauseVerdict, SubCause } from "../../shared/contracts/incident.ts";
import { CAUSE_PARAMETERS } from "./cause-parameters.ts";
import { EVIDENCE, type Observed, SIGNS } from "./evidence.ts";

/** What is told apart, and what it is reported as. */
export const CLASSES = {
  crah_failure: { cause: "thermal_event", sub_cause: "crah_failure" },
  tile_blockage: { cause: "thermal_event", sub_cause: "tile_blockage" },
  high_load: { cause: "high_load", sub_cause: null },
  under_utilized: { cause: "under_utilized", sub_cause: null },
  overcooled: { cause: "overcooled", sub_cause: null },
  fan_fault: { cause: "fan_fault", sub_cause: null },
  pump_fault: { cause: "pump_fault", sub_cause: null },
  sensor_stuck: { cause: "sensor_fault", sub_cause: "stuck" },
  sensor_drift: { cause: "sensor_fault", sub_cause: "drift" },
  sensor_dropout: { cause: "sensor_fault", sub_cause: "dropout" },
  sensor_spike: { cause: "sensor_fault", sub_cause: "spike" },
} as const satisfies Record<string, { cause: Cause; sub_cause: SubCause | null }>;
export type CauseClass = keyof typeof CLASSES;
export const CAUSE_CLASSES = Object.keys(CLASSES) as CauseClass[];

/** What a class looks like: each quantity's mean and standard deviation (compressed), and how often each sign is there. */
export interface ClassParameters {
  mean: readonly number[];
  std: readonly number[];
  sign_share: readonly number[];
}
export type CauseParameters = Record<CauseClass, ClassParameters>;

/** From this share of the last minute on a sign counts as there. */
const SIGN_FROM = 0.3;
/** No class expects a quantity more exactly than this, and none rules anything out for good. */
const STD_MIN = 0.25;
const SHARE_MIN = 0.02;
/** The quantities of one rack say the same thing several times over; their evidence counts for this share. */
const INDEPENDENT_SHARE = 0.5;
const EVIDENCE_SHOWN = 5;

/** Log-likelihood of a sensor fault of which no sensor was named in the last minute. */
const UNNAMED_LOG = -25;
const NAMED_FROM = 0.1;
export const SENSOR_SIGNS = SIGNS.flatMap((sign, s) =>
  sign === "relations" || sign === "change" ? [] : [s],
);

/** Ten deviations are not ten times the evidence of one. */
export const compress = (z: number): number => Math.asinh(z);
export const hasSign = (share: number): boolean => share >= SIGN_FROM;

/** Log-likelihood of each piece of evidence under a class: quantities, then signs. */
function pieces({ values, signs }: Observed, { mean, std, sign_share }: ClassParameters): Float64Array {
  const result = new Float64Array(EVIDENCE.length + SIGNS.length);
  for (let e = 0; e < EVIDENCE.length; e++) {
    if (Number.isNaN(values[e])) continue;
    const s = Math.max(STD_MIN, std[e]!);
    result[e] = -0.5 * ((compress(values[e]!) - mean[e]!) / s) ** 2 - Math.log(s);
  }
  for (let s = 0; s < SIGNS.length; s++) {
    const share = Math.min(1 - SHARE_MIN, Math.max(SHARE_MIN, sign_share[s]!));
    result[EVIDENCE.length + s] = Math.log(hasSign(signs[s]!) ? share : 1 - share);
  }
  return result;
}

/**
 * Probability of each class by naive Bayes with equal priors: Gaussian quantities and signs that are there or not.
 * Every probability is a sum of named pieces, so the reason can be told.
 */
export function classProbabilities(
  observed: Observed,
  parameters: CauseParameters = CAUSE_PARAMETERS,
): Record<CauseClass, number> {
  const named = SENSOR_SIGNS.some((s) => observed.signs[s]! >= NAMED_FROM);
  const logs = CAUSE_CLASSES.map((name) => {
    const sum = pieces(observed, parameters[name]).reduce((total, value) => total + value, 0);
    const unnamed = !named && CLASSES[name].cause === "sensor_fault" ? UNNAMED_LOG : 0;
    return INDEPENDENT_SHARE * sum + unnamed;
  });
  const largest = Math.max(...logs);
  const odds = logs.map((log) => Math.exp(log - largest));
  const total = odds.reduce((sum, value) => sum + value, 0);
  return Object.fromEntries(CAUSE_CLASSES.map((name, i) => [name, odds[i]! / total])) as Record<
    CauseClass,
    number
  >;
}

/** Words class probabilities as a verdict; `observed` gives the evidence for the first class against the second. */
export function verdictOf(
  probabilities: Record<CauseClass, number>,
  observed: Observed,
  parameters: CauseParameters = CAUSE_PARAMETERS,
): CauseVerdict {
  const of_cause = new Map<Cause, number>();
  for (const name of CAUSE_CLASSES) {
    const { cause } = CLASSES[name];
    of_cause.set(cause, (of_cause.get(cause) ?? 0) + probabilities[name]);
  }
  const causes = [...of_cause]
    .map(([cause, confidence]) => ({ cause, confidence }))
    .sort((a, b) => b.confidence - a.confidence);
  const [first] = causes as [{ cause: Cause; confidence: number }];
  const order = [...CAUSE_CLASSES].sort((a, b) => probabilities[b] - probabilities[a]);
  const best = order.find((name) => CLASSES[name].cause === first.cause)!;
  const rival = order.find((name) => name !== best)!;
  return {
    cause: first.cause,
    sub_cause: CLASSES[best].sub_cause,
    confidence: first.confidence,
    causes,
    evidence: evidenceFor(observed, parameters[best], parameters[rival], rival),
  };
}

function evidenceFor(
  observed: Observed,
  best: ClassParameters,
  rival: ClassParameters,
  rival_name: CauseClass,
): CauseVerdict["evidence"] {
  const mine = pieces(observed, best);
  const theirs = pieces(observed, rival);
  return Array.from(mine, (value, i) => ({ i, weight: value - theirs[i]! }))
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .slice(0, EVIDENCE_SHOWN)
    .map(({ i, weight }) => {
      const sign = i - EVIDENCE.length;
      return {
        name: sign < 0 ? EVIDENCE[i]! : SIGNS[sign]!,
        value: sign < 0 ? observed.values[i]! : observed.signs[sign]!,
        unit: sign < 0 ? ("std" as const) : ("share" as const),
        weight,
        against: rival_name,
      };
    });
}
