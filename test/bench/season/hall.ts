import { type RetrainOutcome, retrain } from "../../../aggregator/retraining/retrain.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import type { Challenger } from "../../../shared/contracts/drift.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { seasonConditions } from "../../../sim/plant/season.ts";
import { SEASON_K } from "../../../sim/scenarios/season-shift.ts";
import type { DayResult } from "../fault-detection.ts";
import { DAY_S, faultSchedule, RACKS } from "../fault-schedule.ts";
import { WINDOW_S } from "../fault-windows.ts";
import { faultyDay, healthyDay, learnDay, RECIPE } from "./days.ts";
import { type DriftSummary, driftAt } from "./drift.ts";
import { createSite, type Site } from "./site.ts";

const START_MS = Date.UTC(2026, 2, 2);
const DAY_MS = DAY_S * 1000;
const HOUR_MS = 3_600_000;
/** Between two retrainings; the drift check of the second day has the first to be held against. */
const DAYS_PER_STEP = 2;

/** Which model meets the season. Without a person's verdict on incidents, unless it says so. */
export const CASES = {
  before: "before the season, old model",
  old: "in it, old model",
  rejected: "retrained, false alarms rejected by people",
  once: "retrained, nobody judging",
  once_unjudged: "retrained, nobody judging, the candidate with what incidents had left out",
  twice: "retrained twice, nobody judging",
  twice_unjudged: "retrained twice, nobody judging, then that candidate",
} as const;
export type Case = keyof typeof CASES;
type Retrained = Exclude<Case, "before" | "old">;

interface CaseResult {
  /** Racks of a day in false alarm, per rack-day, on the days that the model was not taught on. */
  false_alarms: number;
  /** Of the injected faults: found by D and MMS alone. */
  faults: number;
  /** The same of the equipment's faults: sensors' faults are for the sensors' own watch. */
  equipment: number;
}

export interface HallResult {
  seed: number;
  cases: Record<Case, CaseResult>;
  faults: number;
  equipment: number;
  /** After the days before the season, after the first in it, and after those under the first retrained model. */
  drift: { before: DriftSummary; after: DriftSummary; retrained: DriftSummary };
  offers: Record<Retrained, Offer | null>;
  rows_offered: number;
}

/** What became of a retraining's candidate; `share` of the time that unjudged incidents had left out was learnt. */
type Offer = Challenger & { share?: number };

/** A hall over ten days: learnt in a mild season, met by a warm one, taught anew twice from what was stored. */
export function runHall(seed: number): HallResult {
  const config = AggregatorConfig.parse({});
  const plant = createPlant({ rack_ids: RACKS, seed, start_ms: START_MS });
  const old = learnDay(plant, config.limits);
  const site = createSite(plant, config);
  const from_ms = plant.now_ms;
  const firstDay = (step_ms: number) => ({ from_ms: step_ms, to_ms: step_ms + DAY_MS });

  const [calm] = liveUnder(plant, site, old, [old]);
  const drift_before = driftAt(site, old, firstDay(from_ms), plant.now_ms, config);

  const season = plant.impose(RACKS, seasonConditions(SEASON_K));
  const [warm] = liveUnder(plant, site, old, [old]);
  const drift_after = driftAt(site, old, firstDay(from_ms), plant.now_ms, config);
  const judged = teach(plant, site, old, { from_ms, config, rejected: true });
  const first = teach(plant, site, old, { from_ms, config });

  const rejected = winner(judged, old);
  const once = winner(first, old);
  const once_unjudged = first.unjudged?.model ?? once;
  const once_models = [old, rejected, once, once_unjudged];
  const later = liveUnder(plant, site, once, once_models);
  const learnt = {
    from_ms: Date.parse(first.site.verdict.trained_from),
    to_ms: Date.parse(first.site.verdict.trained_to),
  };
  const drift_retrained = driftAt(site, once, learnt, plant.now_ms, config);
  const second = teach(plant, site, once, { from_ms, config });

  const twice = winner(second, once);
  const models = [...once_models, twice, second.unjudged?.model ?? twice];
  const last = healthyDay(plant, models);
  const schedule = faultSchedule(seed);
  const warm_faults = faultyDay(plant, schedule, models, seed);
  plant.clear(season);
  const [mild_faults] = faultyDay(plant, schedule, [old], seed);

  const result = (days: readonly number[], faults: DayResult): CaseResult => ({
    false_alarms: mean(days),
    faults: found(faults, false),
    equipment: found(faults, true),
  });
  const retrained = (i: number, ...days: (readonly number[])[]) =>
    result([...days.flat(), last[i]!], warm_faults[i]!);
  return {
    seed,
    cases: {
      before: result(calm!, mild_faults!),
      old: retrained(0, warm!, later[0]!),
      rejected: retrained(1, later[1]!),
      once: retrained(2, later[2]!),
      once_unjudged: retrained(3, later[3]!),
      twice: retrained(4),
      twice_unjudged: retrained(5),
    },
    faults: schedule.length,
    equipment: schedule.filter(({ fault }) => isEquipment(fault.kind)).length,
    drift: { before: drift_before, after: drift_after, retrained: drift_retrained },
    offers: {
      rejected: judged.site.verdict,
      once: first.site.verdict,
      once_unjudged: offerOf(first),
      twice: second.site.verdict,
      twice_unjudged: offerOf(second),
    },
    rows_offered: first.rows.filter(({ verdict }) => verdict.offered).length,
  };
}

/** Days of the hall under a model; returns each day's false alarms per rack, by model. */
function liveUnder(plant: Plant, site: Site, force: ModelFile, models: readonly ModelFile[]): number[][] {
  site.follow(force);
  const days = Array.from({ length: DAYS_PER_STEP }, () => healthyDay(plant, models, site.record));
  return models.map((_, i) => days.map((day) => day[i]!));
}

/** A retraining as shipped, on what is stored of the last days. */
function teach(
  plant: Plant,
  site: Site,
  champion: ModelFile,
  about: { from_ms: number; config: AggregatorConfig; rejected?: boolean },
): RetrainOutcome {
  const { limits, mms, retraining } = about.config;
  const { days, holdback_h, recent_days, rows_max, rack_days_min, detection_loss_max } = retraining;
  const { site_incidents } = retraining;
  const to_ms = plant.now_ms;
  return retrain(
    {
      ...{ champion, limits, mms, rows_max, ...RECIPE },
      racks: RACKS.map((rack_id) => ({ rack_id, row: rowOf(rack_id) })),
      exclusions: site.exclusions({ site_incidents }, about.rejected),
      lenient: site.exclusions({ site_incidents, unjudged_incidents: true }, about.rejected),
      confirmed: [],
      range: { from_ms: Math.max(about.from_ms, to_ms - days * DAY_MS), to_ms },
      holdback_ms: holdback_h * HOUR_MS,
      recent_ms: recent_days * DAY_MS,
      interval_ms: WINDOW_S * 1000,
      per_row: retraining.per_row,
      rules: { rack_days_min, detection_loss_max },
      created_ms: to_ms,
    },
    site.read,
  );
}

/** What runs from then on. */
const winner = ({ site }: RetrainOutcome, champion: ModelFile): ModelFile =>
  site.verdict.offered ? site.model : champion;

const offerOf = ({ unjudged }: RetrainOutcome): Offer | null =>
  unjudged && { ...unjudged.verdict, share: unjudged.share };

const isEquipment = (kind: string): boolean => !kind.startsWith("sensor_");

const found = ({ outcomes }: DayResult, equipment: boolean): number =>
  outcomes.filter(({ delay_s, kind }) => delay_s.mms !== null && (!equipment || isEquipment(kind))).length;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
