import { compareDrift } from "../../aggregator/drift/compare.ts";
import { countRows, driftLayout } from "../../aggregator/drift/count.ts";
import type { Exclusions, Span } from "../../aggregator/drift/exclusions.ts";
import type { ReadSeries } from "../../aggregator/drift/stored-series.ts";
import { driftSentences } from "../../aggregator/drift/wording.ts";
import { type MmsFilter, nextFilter } from "../../aggregator/mms/filter.ts";
import { retrain } from "../../aggregator/retraining/retrain.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { Challenger, DriftLevel } from "../../shared/contracts/drift.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { rowOf } from "../../shared/contracts/rack.ts";
import { intervalBuilder } from "../../shared/ims/evaluate.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { rowBuffer } from "../../shared/ims/rows.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { takeRows } from "../../shared/ims/trim.ts";
import { createPlant, type Plant } from "../../sim/plant/plant.ts";
import { seasonConditions } from "../../sim/plant/season.ts";
import { SEASON_K } from "../../sim/scenarios/season-shift.ts";
import { readWindow } from "../../sim/site/window.ts";
import { createDayDetector, type DayResult } from "./fault-detection.ts";
import { DAY_S, faultSchedule, RACKS, type ScheduledFault } from "./fault-schedule.ts";
import { WINDOW_S } from "./fault-windows.ts";

const F = FEATURES.length;
const START_MS = Date.UTC(2026, 2, 2);
const DAY_MS = DAY_S * 1000;
const TRAINING_TICK_S = 60;
const RECIPE = { clusters: 8, seed: 42 };
/** Thins the drift check's rows to one a minute, as the aggregator does. */
const DRIFT_STRIDE = 12;
/** As the aggregator leaves out time around an incident. */
const LEAD_MS = 600_000;
const SETTLE_MS = 900_000;
const DRIFT = { hours_min: 20, moderate_psi: 0.1, major_psi: 0.25, false_alarm: 0.01 };

export interface HallResult {
  seed: number;
  /** Racks of a day in false alarm, per rack-day, by model and season. */
  false_alarms: { before: number; after_old: number; after_new: number; after_new_judged: number };
  /** Of the injected faults: found by D and MMS alone. */
  faults: { before: number; after_old: number; after_new: number; of: number };
  /** The same of the equipment's faults: sensors' faults are for the sensors' own watch. */
  equipment: { before: number; after_old: number; after_new: number; of: number };
  drift: { before: DriftCheck; after: DriftCheck };
  offered: Challenger;
  offered_judged: Challenger;
  rows_offered: number;
}

interface DriftCheck {
  level: DriftLevel;
  rows: number;
  racks: number;
  sentences: string[];
}

type Handle = (rack: number, end_s: number, x: Float64Array) => void;

/** A hall over a week: learnt in a mild season, met by a warm one, taught anew from what was stored. */
export function runHall(seed: number): HallResult {
  const config = AggregatorConfig.parse({});
  const plant = createPlant({ rack_ids: RACKS, seed, start_ms: START_MS });
  const old_model = learnDay(plant, config.limits);

  const calm = recorder(plant, old_model, config.mms);
  // Two days, so that the second can be compared with the first.
  const before = [1, 2].map(() => healthyDay(plant, [old_model], calm.handle)[0]!);
  const season = plant.impose(RACKS, seasonConditions(SEASON_K));
  const warm = recorder(plant, old_model, config.mms);
  const warm_from_ms = plant.now_ms;
  const after_old = [1, 2].map(() => healthyDay(plant, [old_model], warm.handle)[0]!);

  const unattended = warm.exclusions(false);
  const judged = warm.exclusions(true);
  const range = { from_ms: warm_from_ms, to_ms: plant.now_ms };
  const teach = (exclusions: Exclusions) =>
    retrain(
      {
        ...{ champion: old_model, exclusions, range, confirmed: [], ...RECIPE },
        racks: RACKS.map((rack_id) => ({ rack_id, row: rowOf(rack_id) })),
        holdback_ms: DAY_MS / 2,
        recent_ms: 2 * DAY_MS,
        rows_max: 500_000,
        interval_ms: WINDOW_S * 1000,
        limits: config.limits,
        mms: config.mms,
        per_row: true,
        rules: { rack_days_min: 1, detection_loss_max: 0.05 },
        created_ms: plant.now_ms,
      },
      warm.read,
    );
  const outcome = teach(unattended);
  const outcome_judged = teach(judged);
  const new_models = [outcome.site.model, outcome_judged.site.model];

  const last = healthyDay(plant, [old_model, ...new_models], () => {});
  const schedule = faultSchedule(seed);
  const warm_faults = faultyDay(plant, schedule, [old_model, new_models[0]!], seed);
  plant.clear(season);
  const mild_faults = faultyDay(plant, schedule, [old_model], seed);
  const found = ({ outcomes }: DayResult, equipment: boolean) =>
    outcomes.filter(
      ({ delay_s, kind }) => delay_s.mms !== null && (!equipment || !kind.startsWith("sensor_")),
    ).length;
  const counts = (equipment: boolean) => ({
    before: found(mild_faults[0]!, equipment),
    after_old: found(warm_faults[0]!, equipment),
    after_new: found(warm_faults[1]!, equipment),
    of: schedule.filter(({ fault }) => !equipment || !fault.kind.startsWith("sensor_")).length,
  });
  return {
    seed,
    false_alarms: {
      before: mean(before),
      after_old: mean([...after_old, last[0]!]),
      after_new: last[1]!,
      after_new_judged: last[2]!,
    },
    faults: counts(false),
    equipment: counts(true),
    drift: driftOf(old_model, calm, warm, config.limits),
    offered: outcome.site.verdict,
    offered_judged: outcome_judged.site.verdict,
    rows_offered: outcome.rows.filter(({ verdict }) => verdict.offered).length,
  };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function eachWindow(plant: Plant, handle: Handle, beforeWindow: (second: number) => void = () => {}): void {
  const x = new Float64Array(F);
  for (let second = 0; second < DAY_S; second += WINDOW_S) {
    beforeWindow(second);
    for (const [i, window] of readWindow(plant, RACKS, WINDOW_S).entries())
      handle(i, second + WINDOW_S, toFeatures(window, x));
  }
}

function learnDay(plant: Plant, limits: Limits): ModelFile {
  const rows = rowBuffer();
  eachWindow(plant, (_, end_s, x) => {
    if (end_s % TRAINING_TICK_S === 0) rows.push(x);
  });
  return trainModel(rows.matrix(), { ...RECIPE, limits, data: "plant, a mild day", created_ms: START_MS });
}

/** False alarms per rack of a day without faults, of each model. */
function healthyDay(plant: Plant, models: readonly ModelFile[], record: Handle): number[] {
  const detectors = models.map((model) => createDayDetector(model, null));
  eachWindow(plant, (i, end_s, x) => {
    record(i, end_s, x);
    for (const detector of detectors) detector.feed(i, end_s * 1000, x.slice());
  });
  return detectors.map((detector) => detector.result(0, []).false_alarms.mms / RACKS.length);
}

function faultyDay(
  plant: Plant,
  schedule: readonly ScheduledFault[],
  models: readonly ModelFile[],
  seed: number,
): DayResult[] {
  const detectors = models.map((model) => createDayDetector(model, null));
  const handles = new Map<ScheduledFault, string>();
  eachWindow(
    plant,
    (i, end_s, x) => {
      for (const detector of detectors) detector.feed(i, end_s * 1000, x.slice());
    },
    (second) => {
      for (const entry of schedule) {
        const in_window = (at_s: number) => at_s >= second && at_s < second + WINDOW_S;
        if (in_window(entry.start_s)) handles.set(entry, plant.inject(entry.fault));
        if (in_window(entry.end_s)) plant.clear(handles.get(entry) ?? "");
      }
    },
  );
  for (const handle of handles.values()) plant.clear(handle);
  return detectors.map((detector) => detector.result(seed, schedule));
}

/** What the aggregator's store would hold: telemetry, and what MMS said of it under the model in force. */
function recorder(plant: Plant, model: ModelFile, mms: { ema_alpha: number; ticks: number }) {
  const scorer = createScorer(model);
  const racks = RACKS.map((rack_id) => ({
    rack_id,
    x: rowBuffer(F, DAY_S / WINDOW_S),
    ts_ms: [] as number[],
    persistent: [] as number[],
    filter: null as MmsFilter | null,
  }));
  const handle: Handle = (i, _end_s, x) => {
    const rack = racks[i]!;
    const { tau_fast, tau_persist } = model;
    rack.filter = nextFilter(rack.filter, { d: scorer.score(x).d, tau_fast, tau_persist }, mms);
    rack.x.push(x);
    rack.ts_ms.push(plant.now_ms);
    rack.persistent.push(rack.filter.state === "persistent" ? 1 : 0);
  };
  const read: ReadSeries = (rack_id, from_ms, to_ms, stride) => {
    const { x, ts_ms, persistent } = racks[RACKS.indexOf(rack_id)]!;
    const rows = x.matrix();
    const picked = [...ts_ms.keys()]
      .filter((i) => ts_ms[i]! >= from_ms && ts_ms[i]! < to_ms)
      .filter((_, n) => n % stride === 0);
    return {
      rack_id,
      ts_ms: Float64Array.from(picked, (i) => ts_ms[i]!),
      x: takeRows(rows, Uint32Array.from(picked), F),
      persistent: Uint8Array.from(picked, (i) => persistent[i]!),
    };
  };
  /** An incident wherever a rack was persistent, with the time around it, as the aggregator leaves it out. */
  const exclusions = (rejected: boolean): Exclusions => {
    const spans: Record<string, Span[]> = {};
    for (const { rack_id, ts_ms, persistent } of racks) {
      const builder = intervalBuilder();
      for (const [i, at_ms] of ts_ms.entries()) builder.at(at_ms, persistent[i] === 1);
      spans[rack_id] = builder
        .end()
        .map(({ start_ms, end_ms }) => ({ from_ms: start_ms - LEAD_MS, to_ms: end_ms + SETTLE_MS }));
    }
    return rejected ? { excluded: {}, forgiven: spans } : { excluded: spans, forgiven: {} };
  };
  return { handle, read, exclusions };
}

type Recorder = ReturnType<typeof recorder>;

/** The drift check of the day before the season, and of the second day in it; the first day of each is the baseline. */
function driftOf(model: ModelFile, calm: Recorder, warm: Recorder, limits: Limits) {
  const layout = driftLayout(model, () => []);
  const count = ({ read, exclusions }: Recorder, from_ms: number, left_out: Exclusions = exclusions(false)) =>
    countRows(
      RACKS.map((rack_id) => read(rack_id, from_ms, from_ms + DAY_MS, DRIFT_STRIDE)),
      { model, layout, exclusions: left_out, limits },
    );
  const rows = Object.fromEntries(
    [...new Set(RACKS.map(rowOf))].map((row) => [row, RACKS.filter((id) => rowOf(id) === row)]),
  );
  const baseline = count(calm, START_MS + DAY_MS);
  const check = (window: ReturnType<typeof count>) => {
    const compared = compareDrift({
      model,
      layout,
      baseline: baseline.racks,
      window: window.racks,
      rows,
      settings: DRIFT,
    });
    const shares = {
      excluded_share: window.excluded_rows / window.rows,
      outside_share: window.outside_rows / window.rows,
    };
    const drifting = (scopes: readonly { level: DriftLevel }[]) =>
      scopes.filter(({ level }) => level === "moderate" || level === "major").length;
    return {
      level: compared.site.level,
      rows: drifting(compared.rows),
      racks: drifting(compared.racks),
      sentences: driftSentences({ ...compared, ...shares }, DRIFT.hours_min),
    };
  };
  return {
    before: check(count(calm, START_MS + 2 * DAY_MS)),
    after: check(count(warm, START_MS + 4 * DAY_MS)),
  };
}
