import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { Challenger, HeldBackFigures } from "../../shared/contracts/drift.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { skadiError } from "../../shared/errors.ts";
import { createScorer, type Scorer } from "../../shared/ims/score.ts";
import { isoTime } from "../../shared/time.ts";
import { type Exclusions, type Span, usableRows } from "../drift/exclusions.ts";
import type { ReadSeries } from "../drift/stored-series.ts";
import type { MmsSettings } from "../mms/filter.ts";
import { anomaliesFound } from "./anomalies.ts";
import { addReplays, findsAnomaly, NOTHING_REPLAYED, type Replay, rackDays, replayRack } from "./replay.ts";
import { lookAgain, type SecondLook } from "./second-look.ts";
import { type Trained, tryTraining, type UsableRows } from "./training.ts";
import { judgeChallenger, type VerdictRules } from "./verdict.ts";

/** A sample or two may be missing from a run of rows. */
const GAP_INTERVALS = 2.5;
const GAP_MIN_MS = 60_000;
const DAY_MS = 86_400_000;

export interface RetrainRequest {
  racks: readonly { rack_id: string; row: string }[];
  champion: ModelFile;
  exclusions: Exclusions;
  /** The same where incidents that nobody judged count as operation. */
  lenient: Exclusions;
  /** Incidents that people confirmed: a challenger must find what the champion finds. */
  confirmed: readonly { rack_id: string; span: Span }[];
  /** Everything that is stored, and how much of its end is held back. */
  range: Span;
  holdback_ms: number;
  /** Besides everything before the held-back part, its last so many milliseconds and its last day are tried. */
  recent_ms: number;
  /** Rows learnt from at most, thinned evenly. */
  rows_max: number;
  /** Time between two rows of a rack, about. */
  interval_ms: number;
  clusters: number;
  seed: number;
  limits: Limits;
  mms: MmsSettings;
  per_row: boolean;
  rules: VerdictRules;
  created_ms: number;
}

/** A model with what became of it on the held-back operation. */
export interface JudgedModel {
  model: ModelFile;
  verdict: Challenger;
  /** Of the rows that it was trained on, as they were read. */
  data_sha256: string;
}

export interface RetrainOutcome {
  held_back: Span;
  excluded_share: number;
  site: JudgedModel;
  /** The site's model with what incidents that nobody judged had left out; null where there is no reason for one. */
  unjudged: UnjudgedModel | null;
  /** Of every row that a model was tried for. */
  rows: JudgedModel[];
}

export type UnjudgedModel = JudgedModel & Pick<SecondLook, "racks" | "share">;

/** What each model did, by rack. */
interface Trial {
  scorer: Scorer;
  anomalies_found: number;
  by_rack: Map<string, Replay>;
  /** Racks of the confirmed incidents that it found. */
  found: string[];
}

/**
 * Trains challengers on stored operation that was nominal, and has them compete with the champion on the last part of
 * it, which no training saw. The data are split in time, because neighbours in time resemble each other.
 *
 * @throws SkadiError SKADI_BAD_DATA for too little operation
 */
export function retrain(request: RetrainRequest, read: ReadSeries): RetrainOutcome {
  const { range, holdback_ms, recent_ms, champion, racks } = request;
  const held_back = { from_ms: Math.max(range.from_ms, range.to_ms - holdback_ms), to_ms: range.to_ms };
  const spans = spansOf(range.from_ms, held_back.from_ms, recent_ms);
  const names = [...new Set(racks.map(({ row }) => row))];
  const scopes = ["site", ...(request.per_row && names.length > 1 ? names : [])];
  const ordinary: UsableRows = (series) => usableRows(series, request.exclusions);
  const trained = scopes.flatMap((scope) =>
    spans.flatMap(({ name, span }) => {
      const suffix = `${scope === "site" ? "" : `_row_${scope}`}${name}`;
      return tryTraining(request, read, { scope, span, suffix, usable: ordinary });
    }),
  );
  const site_models = trained.filter(({ scope }) => scope === "site");
  if (site_models.length === 0) {
    const expected = "enough nominal operation outside of incidents and maintenance";
    throw skadiError("SKADI_BAD_DATA", { field: "data", value: "stored telemetry", expected });
  }
  const competitors = new Map(trained.map((one) => [one, newTrial(one.model)]));
  const reign = { id: champion.id, trial: newTrial(champion) };
  const trials = [...competitors.values(), reign.trial];
  const counted = compete(request, read, held_back, trials);

  const figures = (trial: Trial, members: ReadonlySet<string>) =>
    figuresOf(trial, members, request.confirmed.filter(({ rack_id }) => members.has(rack_id)).length);
  const everyone = new Set(racks.map(({ rack_id }) => rack_id));
  const judged = (
    one: Trained,
    members: ReadonlySet<string>,
    rival: { id: string; trial: Trial },
  ): JudgedModel => {
    const own = figures(competitors.get(one)!, members);
    const other = figures(rival.trial, members);
    const rules = {
      ...request.rules,
      rack_days_min: request.rules.rack_days_min * (members.size / everyone.size),
    };
    return {
      model: one.model,
      data_sha256: one.data_sha256,
      verdict: {
        ...{ model_id: one.model.id, sha256: one.model.sha256, scope: one.scope },
        trained_from: isoTime(one.span.from_ms),
        trained_to: isoTime(one.span.to_ms),
        rows: one.model.training.rows,
        figures: own,
        champion_id: rival.id,
        champion: other,
        ...judgeChallenger(own, other, rules),
      },
    };
  };
  const best = bestOf(site_models.map((one) => judged(one, everyone, reign)));
  const winner = best.verdict.offered ? site_models.find(({ model }) => model === best.model)! : null;
  // A row's model is worth its upkeep only if it beats the model that the row would run without it.
  const rival = winner ? { id: winner.model.id, trial: competitors.get(winner)! } : reign;
  const rows = scopes.slice(1).flatMap((scope) => {
    const members = new Set(racks.filter(({ row }) => row === scope).map(({ rack_id }) => rack_id));
    const tried = trained.filter((one) => one.scope === scope);
    return tried.length > 0 ? bestOf(tried.map((one) => judged(one, members, rival))) : [];
  });
  const excluded_share = counted.excluded / Math.max(1, counted.rows);
  return { held_back, excluded_share, site: best, unjudged: bestUnjudged(), rows };

  /** Held against the other on all that either may take for nominal. */
  function bestUnjudged(): UnjudgedModel | null {
    const looks = lookAgain(request, read, site_models);
    if (looks.length === 0) return null;
    for (const { trained } of looks) competitors.set(trained, newTrial(trained.model));
    const other = { id: rival.id, trial: newTrial(winner?.model ?? champion) };
    const own = looks.map(({ trained }) => competitors.get(trained)!);
    compete({ ...request, exclusions: request.lenient }, read, held_back, [...own, other.trial]);
    const judged_looks = looks.map(({ trained, racks: of, share }) => ({
      ...judged(trained, everyone, other),
      ...{ racks: of, share },
    }));
    const best_look = bestOf(judged_looks);
    return best_look.verdict.offered ? best_look : null;
  }
}

/** All that there is before the held-back part, its last days, and the last day: a season may have begun in between. */
function spansOf(from_ms: number, to_ms: number, recent_ms: number): { name: string; span: Span }[] {
  const spans = [
    { name: "", span: wholeDays(from_ms, to_ms) },
    { name: "_recent", span: wholeDays(Math.max(from_ms, to_ms - recent_ms), to_ms) },
    { name: "_day", span: wholeDays(Math.max(from_ms, to_ms - DAY_MS), to_ms) },
  ];
  return spans.filter(({ span }, i) => i === 0 || span.from_ms > spans[i - 1]!.span.from_ms);
}

/**
 * The last whole days of a span, or all of one that is shorter than a day. Load follows the day: with half a day too
 * much, thresholds would be quantiles of a mix in which some hours count twice.
 */
function wholeDays(from_ms: number, to_ms: number): Span {
  const days = Math.floor((to_ms - from_ms) / DAY_MS);
  return { from_ms: days > 0 ? to_ms - days * DAY_MS : from_ms, to_ms };
}

const bestOf = <T extends JudgedModel>(models: readonly T[]): T =>
  models.reduce((a, b) => (isBetter(b.verdict, a.verdict) ? b : a));

/** One that is offered before one that is not, then fewer false alarms, then fewer conspicuous rows. */
function isBetter(a: Challenger, b: Challenger): boolean {
  if (a.offered !== b.offered) return a.offered;
  if (a.figures.false_alarms !== b.figures.false_alarms)
    return a.figures.false_alarms < b.figures.false_alarms;
  return a.figures.fast_share < b.figures.fast_share;
}

function newTrial(model: ModelFile): Trial {
  return {
    scorer: createScorer(model),
    anomalies_found: anomaliesFound(model).share,
    by_rack: new Map(),
    found: [],
  };
}

/** Every model on the same held-back rows, rack by rack, and on the confirmed incidents of the whole range. */
function compete(request: RetrainRequest, read: ReadSeries, held_back: Span, trials: readonly Trial[]) {
  const { racks, exclusions, mms, confirmed } = request;
  const settings = { mms, gap_ms: Math.max(GAP_MIN_MS, GAP_INTERVALS * request.interval_ms) };
  const counted = { rows: 0, excluded: 0 };
  for (const { rack_id } of racks) {
    const series = read(rack_id, held_back.from_ms, held_back.to_ms, 1);
    const usable = usableRows(series, exclusions);
    counted.rows += usable.length;
    for (const flag of usable) if (!flag) counted.excluded++;
    for (const trial of trials)
      trial.by_rack.set(rack_id, replayRack(series, usable, trial.scorer, settings));
  }
  for (const { rack_id, span } of confirmed) {
    const series = read(rack_id, span.from_ms, span.to_ms, 1);
    for (const trial of trials) if (findsAnomaly(series, span, trial.scorer, mms)) trial.found.push(rack_id);
  }
  return counted;
}

function figuresOf(trial: Trial, members: ReadonlySet<string>, confirmed: number): HeldBackFigures {
  const replays = [...trial.by_rack].flatMap(([rack_id, replay]) => (members.has(rack_id) ? replay : []));
  const sum = replays.reduce(addReplays, NOTHING_REPLAYED);
  const rack_days = rackDays(sum);
  const share = (rows: number) => (sum.rows > 0 ? rows / sum.rows : 0);
  return {
    false_alarms: sum.episodes,
    rack_days,
    false_alarms_per_rack_day: rack_days > 0 ? sum.episodes / rack_days : 0,
    fast_share: share(sum.fast_rows),
    persist_share: share(sum.persist_rows),
    anomalies_found: trial.anomalies_found,
    incidents: { found: trial.found.filter((rack_id) => members.has(rack_id)).length, of: confirmed },
  };
}
