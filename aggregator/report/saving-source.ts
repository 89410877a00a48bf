import type { EnergyLedger } from "../savings/ledger.ts";
import type { SavingSource } from "./sources.ts";

const METHODS = {
  matched_regression:
    "matched regression on load and hour, learnt from unoptimised operation (docs/savings.md)",
  switchback: "optimised hours against unoptimised ones of other days at the same load (docs/savings.md)",
} as const;

/** The measured saving as the report shows it. */
export function savingSource(ledger: Pick<EnergyLedger, "savings">): SavingSource {
  return {
    measured(from_ms, to_ms) {
      const { estimate, method } = ledger.savings(from_ms, to_ms);
      if (!estimate) return null;
      const [low_pct, high_pct] = estimate.saved_pct_interval;
      return {
        saving_kwh: estimate.saved_kwh,
        saving_pct: estimate.saved_pct,
        low_pct,
        high_pct,
        confidence: 0.95,
        method: METHODS[method],
      };
    },
  };
}
