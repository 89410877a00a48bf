import { InvalidArgumentError } from "commander";
import type { ThresholdRule } from "../../shared/contracts/model.ts";
import { DESCRIBED_RULE } from "../../shared/ims/thresholds.ts";

export const THRESHOLD_SYNTAX =
  "percentile:<q>,<q>, per_cluster:<q>,<q>, tail:<rate>,<rate> (false alarms per row) or margin:<x>,<x> (times the largest D)";

const isShare = (value: number) => value > 0 && value < 1;
const isFactor = (value: number) => value > 0 && Number.isFinite(value);

/** An option parser for `tail:0.01,0.0001` and its like: a method and its values for tau_fast and tau_persist. */
export function thresholdOption(text: string): ThresholdRule {
  const [method, values = ""] = text.split(":");
  const numbers = values.split(",").map((value) => (value.trim() === "" ? Number.NaN : Number(value)));
  const [fast = Number.NaN, persist = Number.NaN] = numbers;
  const areAll = (valid: (value: number) => boolean) => numbers.length === 2 && numbers.every(valid);
  switch (method) {
    case "percentile":
    case "per_cluster":
      if (areAll(isShare) && fast < persist) return { method, fast, persist };
      break;
    case "tail":
      if (areAll(isShare) && fast > persist) return { method, fast_rate: fast, persist_rate: persist };
      break;
    case "margin":
      if (areAll(isFactor) && fast < persist) return { method, fast, persist };
      break;
  }
  throw new InvalidArgumentError(`expected ${THRESHOLD_SYNTAX}, the second beyond the first`);
}

/** What tau_fast and tau_persist are, in words. */
export function describeThreshold(rule: ThresholdRule = DESCRIBED_RULE): [fast: string, persist: string] {
  const both = (say: (value: number) => string, fast: number, persist: number): [string, string] => [
    say(fast),
    say(persist),
  ];
  const percent = (q: number) => `p${Number((100 * q).toPrecision(6))} of D`;
  switch (rule.method) {
    case "percentile":
      return both(percent, rule.fast, rule.persist);
    case "per_cluster":
      return both((q) => `${percent(q)} of all, and of each cluster`, rule.fast, rule.persist);
    case "tail":
      return both((rate) => `for ${rate} false alarms per row`, rule.fast_rate, rule.persist_rate);
    case "margin":
      return both((factor) => `${factor} × the largest D`, rule.fast, rule.persist);
  }
}
