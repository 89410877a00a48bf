import type { RackMeans } from "../store/store.ts";
import type { Counterfactual } from "./plan.ts";

/** How much worse a rack may look after a change before the change is taken back. */
const INLET_RISE_MAX_C = 1;
const LATENCY_GROWTH_MAX = 1.05;
const ENERGY_GROWTH_MAX = 1.02;

export interface Verdict {
  /** At the load of now, compared with the energy per token of before. */
  realized_saving_kw: number;
  /** What became worse; null if nothing did. */
  worsened: string | null;
}

/**
 * Compares a rack after a change with the same rack before it.
 *
 * @param predicted what the change was expected to do; latency within it does not count as worse
 * @param counterfactual what the rack would have drawn by its model; without one, its energy per token of before counts
 * @returns null where either side lacks a value that the comparison needs
 */
export function judge(
  before: RackMeans,
  after: RackMeans,
  predicted: { inlet_c: number; latency_p95_ms: number },
  counterfactual: Counterfactual | null = null,
): Verdict | null {
  const { inlet_c, latency_p95_ms, pdu_kw, tokens_ps } = after;
  if (inlet_c === null || latency_p95_ms === null || pdu_kw === null || before.pdu_kw === null) return null;
  const realized_saving_kw =
    counterfactual && tokens_ps !== null
      ? counterfactual.unchanged_kw(tokens_ps) - pdu_kw
      : savingKw(before, after);
  if (realized_saving_kw === null) return null;
  // What was meant to cost energy, such as more cooling, is measured by what it was expected to cost.
  const meant_kw = counterfactual && tokens_ps !== null ? counterfactual.changed_kw(tokens_ps) : 0;
  const energy_before_kw = Math.max(meant_kw, pdu_kw + realized_saving_kw);
  const worsened =
    inlet_c > Math.max(predicted.inlet_c, before.inlet_c ?? inlet_c) + INLET_RISE_MAX_C
      ? `inlet rose to ${inlet_c.toFixed(1)} °C`
      : latency_p95_ms > Math.max(predicted.latency_p95_ms, before.latency_p95_ms ?? 0) * LATENCY_GROWTH_MAX
        ? `p95 rose to ${latency_p95_ms.toFixed(0)} ms`
        : pdu_kw > energy_before_kw * ENERGY_GROWTH_MAX
          ? `energy ${tokens_ps ? "per token " : ""}rose by ${(100 * (pdu_kw / energy_before_kw - 1)).toFixed(1)} %`
          : null;
  return { realized_saving_kw, worsened };
}

/** What the present load would have cost before, minus what it costs now; without load, power is compared directly. */
function savingKw(before: RackMeans, after: RackMeans): number | null {
  if (before.pdu_kw === null || after.pdu_kw === null) return null;
  if (!before.tokens_ps || !after.tokens_ps) return before.pdu_kw - after.pdu_kw;
  return (before.pdu_kw / before.tokens_ps) * after.tokens_ps - after.pdu_kw;
}
