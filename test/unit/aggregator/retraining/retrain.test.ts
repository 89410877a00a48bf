import { describe, expect, it } from "vitest";
import type { Exclusions } from "../../../../aggregator/drift/exclusions.ts";
import { anomaliesFound } from "../../../../aggregator/retraining/anomalies.ts";
import { replayRack } from "../../../../aggregator/retraining/replay.ts";
import { type RetrainRequest, retrain } from "../../../../aggregator/retraining/retrain.ts";
import { createScorer } from "../../../../shared/ims/score.ts";
import { trainModel } from "../../../../shared/ims/train.ts";
import { LIMITS } from "../../../support/models.ts";
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  operation,
  operationModel,
  readerOf,
  type Warmth,
} from "../../../support/operation.ts";

const RACKS = [1, 2, 3].flatMap((n) => ["A", "B"].map((row) => ({ rack_id: `R-${row}-0${n}`, row })));
const IDS = RACKS.map(({ rack_id }) => rack_id);
const START_MS = 10 * DAY_MS;
const champion = operationModel(IDS, START_MS);
const MMS = { ema_alpha: 0.3, ticks: 6 };
const NOTHING: Exclusions = { excluded: {}, forgiven: {} };

/** Four days of operation after the champion's, of which the last half day is held back. */
function outcomeOf(
  warmth: (rack_id: string, ts_ms: number) => Warmth,
  changes: Partial<RetrainRequest> = {},
) {
  const range = { from_ms: START_MS, to_ms: START_MS + 4 * DAY_MS };
  const request: RetrainRequest = {
    ...{
      racks: RACKS,
      champion,
      exclusions: NOTHING,
      lenient: NOTHING,
      confirmed: [],
      rows_max: 50_000,
      interval_ms: MINUTE_MS,
    },
    ...{
      range,
      holdback_ms: DAY_MS / 2,
      recent_ms: 2 * DAY_MS,
      clusters: 8,
      seed: 42,
      limits: LIMITS,
      mms: MMS,
    },
    ...{ per_row: false, rules: { rack_days_min: 1, detection_loss_max: 0.05 } },
    created_ms: START_MS + 4 * DAY_MS,
    ...changes,
  };
  return retrain(request, readerOf(range, warmth));
}

const season = () => ({ season_k: 1.5 });

describe("retraining after a season has changed", () => {
  const { site, held_back } = outcomeOf(season);

  it("offers a candidate that no longer takes the season for an anomaly, and still sees faults", () => {
    const { offered, figures, champion: old } = site.verdict;
    expect(offered).toBe(true);
    expect(old.false_alarms).toBeGreaterThan(0);
    expect(figures.false_alarms).toBe(0);
    expect(figures.fast_share).toBeLessThan(0.15);
    expect(figures.anomalies_found).toBeGreaterThan(old.anomalies_found - 0.05);
    expect(site.verdict.champion_id).toBe(champion.id);
  });

  it("holds the last part back: nothing of it is learnt from", () => {
    expect(held_back).toEqual({ from_ms: START_MS + 3.5 * DAY_MS, to_ms: START_MS + 4 * DAY_MS });
    expect(Date.parse(site.verdict.trained_to)).toBe(held_back.from_ms);
  });

  it("gives the same candidate for the same data, and says which data they were", () => {
    const again = outcomeOf(season);
    expect(again.site.model.sha256).toBe(site.model.sha256);
    expect(again.site.data_sha256).toBe(site.data_sha256);
    expect(outcomeOf(() => ({ season_k: 1.6 })).site.data_sha256).not.toBe(site.data_sha256);
  });

  it("works where the season came in between: the last days are tried by themselves as well", () => {
    const since_ms = START_MS + 1.75 * DAY_MS;
    const { verdict } = outcomeOf((_, ts) => (ts >= since_ms ? { season_k: 1.5 } : {})).site;
    expect(verdict).toMatchObject({ offered: true, figures: { false_alarms: 0 } });
  });
});

describe("retraining where nothing has changed", () => {
  it("finds a candidate that is no better, and does not offer it", () => {
    const { verdict } = outcomeOf(() => ({})).site;
    expect(verdict).toMatchObject({ offered: false, reason: expect.stringContaining("no better") });
  });
});

describe("retraining on operation with faults", () => {
  const ill = { rack_id: "R-A-01", from_ms: START_MS + 3 * HOUR_MS, to_ms: START_MS + 80 * HOUR_MS };
  const fault = (rack_id: string, ts: number) => ({
    ...season(),
    ...(rack_id === ill.rack_id && ts >= ill.from_ms && ts < ill.to_ms ? { fault_k: 6 } : {}),
  });
  const { from_ms, to_ms } = ill;

  it("does not learn what incidents leave out", () => {
    const exclusions = { excluded: { [ill.rack_id]: [{ from_ms, to_ms }] }, forgiven: {} };
    const careful = outcomeOf(fault, { exclusions }).site;
    const careless = outcomeOf(fault).site;
    const row = operation(ill.rack_id, { from_ms, to_ms: from_ms + 2 * HOUR_MS }, (ts) =>
      fault(ill.rack_id, ts),
    );
    const alarms = (model: typeof champion) =>
      replayRack(row, new Uint8Array(row.ts_ms.length).fill(1), createScorer(model), {
        mms: MMS,
        gap_ms: 5 * MINUTE_MS,
      }).episodes;
    expect(alarms(careful.model)).toBe(1);
    expect(alarms(careless.model)).toBe(0);
    expect(careful.model.training.rows).toBeLessThan(careless.model.training.rows);
  });

  it("does not offer a candidate that took a confirmed incident for nominal", () => {
    const confirmed = [{ rack_id: ill.rack_id, span: { from_ms, to_ms: from_ms + 2 * HOUR_MS } }];
    const { verdict } = outcomeOf(fault, { confirmed }).site;
    expect(verdict.champion.incidents).toEqual({ found: 1, of: 1 });
    expect(verdict.figures.incidents).toEqual({ found: 0, of: 1 });
    expect(verdict).toMatchObject({ offered: false, reason: expect.stringContaining("0 of 1 racks") });
  });
});

describe("what incidents that nobody judged had left out", () => {
  /** Every day at the height of the load. */
  const alarmsOf = (rack_ids: readonly string[]): Exclusions => ({
    excluded: Object.fromEntries(
      rack_ids.map((rack_id) => [
        rack_id,
        [0, 1, 2, 3].map((day) => ({
          from_ms: START_MS + day * DAY_MS + 4 * HOUR_MS,
          to_ms: START_MS + day * DAY_MS + 8 * HOUR_MS,
        })),
      ]),
    ),
    forgiven: {},
  });
  const ill = "R-A-01";
  const isIll = (ts: number) =>
    (ts - START_MS) % DAY_MS >= 5 * HOUR_MS && (ts - START_MS) % DAY_MS < 7 * HOUR_MS;
  const withFault = (rack_id: string, ts: number) => ({
    ...season(),
    ...(rack_id === ill && isIll(ts) ? { fault_k: 6 } : {}),
  });
  const holdback_ms = DAY_MS;

  it("is the upper end of a season: a candidate that takes it back is quieter than one that does not", () => {
    const { site, unjudged } = outcomeOf(season, { exclusions: alarmsOf(IDS), holdback_ms });
    const { verdict, racks, share } = unjudged!;
    expect(verdict).toMatchObject({ offered: true, champion_id: site.model.id });
    expect(verdict.figures.false_alarms).toBeLessThan(verdict.champion.false_alarms);
    expect(verdict.figures.anomalies_found).toBeGreaterThan(site.verdict.figures.anomalies_found - 0.05);
    expect(racks).toBe(IDS.length);
    expect(share).toBeGreaterThan(0.5);
  });

  it("is not learnt where a rack is ill, though nobody said so", () => {
    const { unjudged } = outcomeOf(withFault, { exclusions: alarmsOf(IDS), holdback_ms });
    const span = { from_ms: START_MS, to_ms: START_MS + DAY_MS };
    const day = operation(ill, span, (ts) => withFault(ill, ts));
    const replay = replayRack(day, new Uint8Array(day.ts_ms.length).fill(1), createScorer(unjudged!.model), {
      mms: MMS,
      gap_ms: 5 * MINUTE_MS,
    });
    expect(replay.episodes).toBeGreaterThan(0);
    expect(unjudged!.share).toBeLessThan(1);
  });

  it("stays out where incidents are a matter of few racks: that is what faults look like", () => {
    expect(outcomeOf(season, { exclusions: alarmsOf(IDS.slice(0, 2)), holdback_ms }).unjudged).toBeNull();
  });

  it("stays out where people confirmed the incidents", () => {
    const confirmed = alarmsOf(IDS);
    const changes = { exclusions: confirmed, lenient: confirmed, holdback_ms };
    expect(outcomeOf(season, changes).unjudged).toBeNull();
  });

  it("is no reason for another candidate where nothing was left out", () => {
    expect(outcomeOf(season).unjudged).toBeNull();
  });
});

describe("models of single rows", () => {
  it("win where a row has a habit of its own that only the site's model has to cover", () => {
    const own_habit = (rack_id: string) => (rack_id.startsWith("R-B") ? { season_k: 3 } : {});
    const { site, rows } = outcomeOf(own_habit, { per_row: true });
    expect(site.verdict.offered).toBe(true);
    expect(rows.map(({ verdict }) => verdict.scope)).toEqual(["A", "B"]);
    for (const { verdict } of rows) {
      expect(verdict.champion_id).toBe(site.model.id);
      expect(verdict.figures.rack_days).toBeCloseTo(1.5, 1);
    }
    expect(new Set([site, ...rows].map(({ model }) => model.id)).size).toBe(3);
  });

  it("are not offered where rows are alike", () => {
    const { rows } = outcomeOf(() => ({}), { per_row: true });
    expect(rows.map(({ verdict }) => verdict.offered)).toEqual([false, false]);
  });
});

it("too little operation is an error that names it, not a model", () => {
  const range = { from_ms: START_MS, to_ms: START_MS + 10 * MINUTE_MS };
  expect(() => outcomeOf(season, { range, holdback_ms: 2 * MINUTE_MS })).toThrow(/nominal operation/);
});

describe("physical anomalies", () => {
  it("are nearly all found by a model of clean operation", () => {
    const { share, by_name } = anomaliesFound(champion);
    expect(share).toBeGreaterThan(0.9);
    expect(Object.keys(by_name)).toHaveLength(5);
  });

  it("are missed by a model of operation that was anything but nominal", () => {
    const { x } = operation("R-A-01", { from_ms: START_MS, to_ms: START_MS + DAY_MS });
    const { mean } = champion.scaler;
    const wild = x.map((value, at) => mean[at % mean.length]! + 4 * (value - mean[at % mean.length]!));
    const options = { clusters: 8, seed: 42, limits: null, data: "test", created_ms: 0 };
    expect(anomaliesFound(trainModel(wild, options)).share).toBeLessThan(
      anomaliesFound(champion).share - 0.1,
    );
  });
});

describe("a replay", () => {
  const scorer = createScorer(champion);
  const day = operation("R-A-01", { from_ms: START_MS, to_ms: START_MS + DAY_MS }, (ts) => {
    const hour = (ts - START_MS) / HOUR_MS;
    return hour >= 6 && hour < 7 ? { fault_k: 8 } : {};
  });
  const settings = { mms: MMS, gap_ms: 5 * MINUTE_MS };
  const all = new Uint8Array(day.ts_ms.length).fill(1);

  it("counts an anomaly as one episode, and the time that was observed", () => {
    const replay = replayRack(day, all, scorer, settings);
    expect(replay.episodes).toBe(1);
    expect(replay.observed_ms).toBe(DAY_MS - MINUTE_MS);
    expect(replay.persist_rows).toBeGreaterThan(55);
  });

  it("sees nothing of rows that may not be used, and does not carry smoothing over the gap", () => {
    const usable = all.map((_, i) => (i >= 355 && i < 425 ? 0 : 1));
    const replay = replayRack(day, usable, scorer, settings);
    expect(replay.episodes).toBe(0);
    expect(replay.observed_ms).toBe(DAY_MS - MINUTE_MS - 71 * MINUTE_MS);
  });
});
