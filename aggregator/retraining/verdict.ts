import type { HeldBackFigures } from "../../shared/contracts/drift.ts";

export interface VerdictRules {
  /** Less held-back operation than this says nothing. */
  rack_days_min: number;
  /** Anomalies that the challenger may see fewer of, as a share of all. */
  detection_loss_max: number;
}

/** At most so much of the champion's share of rows at or above tau_fast is clearly fewer. */
const CLEARLY_FEWER = 0.75;
/** A difference in false alarms that equal models would show more often than this is none. */
const CHANCE = 0.05;

/**
 * Whether a challenger beats the champion on operation that neither was trained on: it must see what the champion sees,
 * and cry out less by more than chance, or cry out no more and find clearly fewer rows of nominal operation conspicuous.
 */
export function judgeChallenger(
  challenger: HeldBackFigures,
  champion: HeldBackFigures,
  rules: VerdictRules,
): { offered: boolean; reason: string } {
  const no = (reason: string) => ({ offered: false, reason });
  const { rack_days } = challenger;
  if (rack_days < rules.rack_days_min)
    return no(`${rack_days.toFixed(2)} rack-days held back, and ${rules.rack_days_min} are needed to judge`);
  const { found, of } = challenger.incidents;
  if (found < champion.incidents.found)
    return no(
      `it finds ${found} of ${of} racks of confirmed incidents, the active model ${champion.incidents.found}`,
    );
  const sees = `it sees ${percent(challenger.anomalies_found)} of the physical anomalies, the active model ${percent(champion.anomalies_found)}`;
  if (challenger.anomalies_found < champion.anomalies_found - rules.detection_loss_max) return no(sees);
  const rates = `${rateText(challenger)}, the active model ${rateText(champion)}`;
  if (challenger.false_alarms > champion.false_alarms) return no(`more false alarms: ${rates}`);
  if (byChance(challenger.false_alarms, champion.false_alarms) <= CHANCE)
    return { offered: true, reason: `fewer false alarms: ${rates}; ${sees}` };
  const shares = `${percent(challenger.fast_share)} of the rows at or above tau_fast, the active model ${percent(champion.fast_share)}`;
  if (challenger.fast_share <= CLEARLY_FEWER * champion.fast_share && champion.fast_share > 0)
    return { offered: true, reason: `no more false alarms (${rates}), and ${shares}; ${sees}` };
  return no(`no better than the active model: ${rates}; ${shares}`);
}

/**
 * The chance that of two equal models one has so few of their alarms: a binomial test of a, out of a + b at even odds.
 */
function byChance(a: number, b: number): number {
  const n = a + b;
  let term = 0.5 ** n;
  let sum = 0;
  for (let k = 0; k <= a; k++) {
    sum += term;
    term *= (n - k) / (k + 1);
  }
  return sum;
}

const rateText = ({ false_alarms_per_rack_day, rack_days }: HeldBackFigures) =>
  `${false_alarms_per_rack_day.toFixed(3)} false alarms per rack-day (of ${rack_days.toFixed(1)})`;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
