import type { HeldBackFigures } from "../../shared/contracts/drift.ts";

export interface VerdictRules {
  /** Less held-back operation than this says nothing. */
  rack_days_min: number;
  /** Anomalies that the challenger may see fewer of, as a share of all. */
  detection_loss_max: number;
}

/** Two models that differ by less than this in the share of rows at or above tau_fast are as good as each other. */
const FAST_SHARE_STEP = 0.005;

/**
 * Whether a challenger beats the champion on operation that neither was trained on: it must see what the champion sees,
 * and cry out less, or at equal alarms find fewer rows of nominal operation conspicuous.
 */
export function judgeChallenger(
  challenger: HeldBackFigures,
  champion: HeldBackFigures | null,
  rules: VerdictRules,
): { offered: boolean; reason: string } {
  const no = (reason: string) => ({ offered: false, reason });
  const { rack_days } = challenger;
  if (rack_days < rules.rack_days_min)
    return no(`${rack_days.toFixed(2)} rack-days held back, and ${rules.rack_days_min} are needed to judge`);
  if (!champion) return { offered: true, reason: `there is no model in force; ${rateText(challenger)}` };
  const { found, of } = challenger.incidents;
  if (found < champion.incidents.found)
    return no(
      `it finds ${found} of ${of} racks of confirmed incidents, the active model ${champion.incidents.found}`,
    );
  const sees = `it sees ${percent(challenger.anomalies_found)} of the physical anomalies, the active model ${percent(champion.anomalies_found)}`;
  if (challenger.anomalies_found < champion.anomalies_found - rules.detection_loss_max) return no(sees);
  const rates = `${rateText(challenger)}, the active model ${rateText(champion)}`;
  if (challenger.false_alarms > champion.false_alarms) return no(`more false alarms: ${rates}`);
  if (challenger.false_alarms < champion.false_alarms)
    return { offered: true, reason: `fewer false alarms: ${rates}; ${sees}` };
  const shares = `${percent(challenger.fast_share)} of the rows at or above tau_fast, the active model ${percent(champion.fast_share)}`;
  if (challenger.fast_share < champion.fast_share - FAST_SHARE_STEP)
    return {
      offered: true,
      reason: `as many false alarms (${rateText(challenger)}), but ${shares}; ${sees}`,
    };
  return no(`no better than the active model: ${rates}; ${shares}`);
}

const rateText = ({ false_alarms_per_rack_day, rack_days }: HeldBackFigures) =>
  `${false_alarms_per_rack_day.toFixed(3)} false alarms per rack-day (of ${rack_days.toFixed(1)})`;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
