import type { ReportEnergy } from "../../shared/contracts/report.ts";
import { isoTime } from "../../shared/time.ts";
import type { SiteStep } from "../store/store.ts";

interface KpiConfig {
  tokens_per_prompt: number;
  baseline_wh_per_prompt: number;
}

/** What the racks used and served, over time and in sum. */
export function energySection(
  steps: readonly SiteStep[],
  { tokens_per_prompt, baseline_wh_per_prompt }: KpiConfig,
): ReportEnergy {
  const whPerPrompt = (energy_kwh: number, tokens: number) =>
    tokens > 0 ? (energy_kwh * 1000 * tokens_per_prompt) / tokens : null;
  const energy_kwh = steps.reduce((sum, step) => sum + step.energy_kwh, 0);
  const tokens = steps.reduce((sum, step) => sum + step.tokens, 0);
  const wh_per_prompt = whPerPrompt(energy_kwh, tokens);
  return {
    energy_kwh,
    tokens,
    wh_per_prompt,
    baseline_wh_per_prompt,
    saved_pct: wh_per_prompt === null ? null : 100 * (1 - wh_per_prompt / baseline_wh_per_prompt),
    steps: steps.map((step) => ({
      ts: isoTime(step.ts_ms),
      energy_kwh: step.energy_kwh,
      tokens: step.tokens,
      wh_per_prompt: whPerPrompt(step.energy_kwh, step.tokens),
      inlet_max_c: step.inlet_max_c,
    })),
  };
}
