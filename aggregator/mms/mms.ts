import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Score } from "../../shared/contracts/score.ts";
import { believed } from "../../shared/ims/believed.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import type { Scorer } from "../../shared/ims/score.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import type { Commander } from "../commands/commander.ts";
import type { EventBus } from "../events.ts";
import type { Rack } from "../fleet.ts";
import type { Store } from "../store/store.ts";
import { type EvidenceTracker, trackEvidence } from "./evidence.ts";
import { type MmsFilter, nextFilter } from "./filter.ts";
import { logRatio, type ScoreModels, scoreModels, withDeparture } from "./likelihood.ts";
import { learn, NOTHING_LEARNT, type RefinementState, refinementOf } from "./refinement.ts";
import { type DynamicsState, type DynamicsTracker, trackDynamics } from "./score-dynamics.ts";
import { type Bounds, boundsFor, FRESH_TEST, nextTest, standsAlarmed } from "./sequential.ts";
import { causeFollower } from "./verdicts.ts";

export interface Mms {
  /** Feeds one in-order score of the rack; a change of state is announced to the world and to the rack's agent. */
  feed(rack: Rack, score: Score): MmsFilter;
  /** What is known of causes now; null without a model of the ten telemetry features. */
  causes(): { evidence: EvidenceTracker; follower: ReturnType<typeof causeFollower> } | null;
  /** How the score models stand; null without a model. */
  models(): { score_models: ScoreModels; bounds: Bounds; refinement: RefinementState } | null;
  /** Learns from an incident that people judged. `log_d_mean`: of ln D while its racks were persistent. */
  judge(verdict: "confirmed" | "rejected", log_d_mean: number): void;
  /** Forgets what judged incidents taught. */
  forget(): void;
  /** Keeps what was learnt of D's dynamics. */
  save(): void;
}

interface MmsContext {
  config: AggregatorConfig["mms"];
  racks: readonly Rack[];
  store: Store;
  events: EventBus;
  commander: Commander;
  scorer: () => Scorer | null;
  /** Of the model that a rack is to run, where that is another than the site's. */
  scorerOf: (rack_id: string) => Scorer | null;
  /** Whether fan or pump of the rack are driven by a command, or were a short while ago. */
  commanded: (rack: Rack) => boolean;
}

const REFINEMENT = "mms_refinement";
const DYNAMICS = "mms_dynamics";
const DAY_S = 86_400;
/** Scores between two looks at how D moves in time. */
const RECALCULATE_EVERY = 10_000;

/** What belongs to the model in force. */
interface Fitted {
  scorer: Scorer;
  dynamics: DynamicsTracker;
  evidence: EvidenceTracker | null;
  models: ScoreModels;
  bounds: Bounds;
  fed: number;
}

/** MMS of a site: per rack the floor filter or the likelihood ratio, and what speaks for which cause. */
export function createMms(context: MmsContext): Mms {
  const { config, racks, store, events, commander } = context;
  const index = new Map(racks.map((rack, i) => [rack.rack_id, i]));
  const follower = causeFollower();
  let refinement = (store.settings.get(REFINEMENT) as RefinementState | undefined) ?? NOTHING_LEARNT;
  let fits = new Map<Scorer, Fitted>();

  /** Of a model: the site's, or one that some racks run instead. */
  const fitOf = (scorer: Scorer | null): Fitted | null => {
    if (!scorer) return null;
    const known = fits.get(scorer);
    if (known) return known;
    const made = fitTo(scorer);
    // Those that no rack is to run any more go.
    const used = new Set([context.scorer(), ...racks.map(({ rack_id }) => context.scorerOf(rack_id))]);
    fits = new Map([...fits, [scorer, made] as const].filter(([of]) => used.has(of)));
    return made;
  };
  const current = (): Fitted | null => fitOf(context.scorer());
  const fitTo = (scorer: Scorer): Fitted => {
    const { id, distributions, features } = scorer.model;
    const kept = store.settings.get(DYNAMICS) as { model_id: string; state: DynamicsState } | undefined;
    const dynamics = trackDynamics(
      distributions.nominal.log_mean,
      kept?.model_id === id ? kept.state : undefined,
    );
    const telemetry = features.length === FEATURES.length && features.every((f, j) => f === FEATURES[j]);
    const evidence = telemetry ? trackEvidence(scorer.model, racks) : null;
    return { scorer, dynamics, evidence, ...decide(scorer, dynamics), fed: 0 };
  };
  const decide = (scorer: Scorer, dynamics: DynamicsTracker): Pick<Fitted, "models" | "bounds"> => {
    const models = scoreModels(scorer.model.distributions, dynamics.dynamics(), refinementOf(refinement));
    const { false_alarms_per_rack_day, miss_rate, score_interval_s } = config;
    const scores_per_day = (DAY_S / score_interval_s) * models.effective_share;
    return { models, bounds: boundsFor({ scores_per_day, false_alarms_per_rack_day, miss_rate }) };
  };
  const refine = (next: RefinementState) => {
    refinement = next;
    store.settings.put(REFINEMENT, refinement);
    for (const fit of fits.values()) Object.assign(fit, decide(fit.scorer, fit.dynamics));
  };

  const byRatio = (rack: Rack, floor: MmsFilter, score: Score, fit: Fitted): MmsFilter => {
    const d = context.commanded(rack) ? undrivenD(score) : score.d;
    const ratio = withDeparture(logRatio(fit.models, d), score.departure);
    const after = nextTest(rack.mms?.test ?? FRESH_TEST, ratio, fit.bounds);
    return { ...floor, state: standsAlarmed(after) ? "persistent" : "transient", test: after };
  };

  const observe = (rack: Rack, score: Score, { test, state }: MmsFilter, fit: Fitted) => {
    const calm = test ? test.phase === "nominal" : state === "transient";
    fit.dynamics.add(rack.rack_id, calm ? Math.log(Math.max(score.d, 1e-6)) : null);
    if (++fit.fed % RECALCULATE_EVERY === 0) {
      Object.assign(fit, decide(fit.scorer, fit.dynamics));
      save();
    }
    // Causes are told from the readings, and racks are compared: whatever model scored, all go into one picture.
    const evidence = current()?.evidence;
    if (!evidence || rack.sample?.seq !== score.seq) return;
    evidence.observe(index.get(rack.rack_id)!, toFeatures(believed(rack.sample)), {
      departure: score.departure ?? null,
      sensors: score.sensors ?? [],
      commanded: context.commanded(rack),
    });
  };

  const save = () => {
    const fitted = current();
    if (!fitted) return;
    store.settings.put(DYNAMICS, { model_id: fitted.scorer.model.id, state: fitted.dynamics.state() });
  };

  return {
    feed(rack, score) {
      const before = rack.mms;
      const floor = nextFilter(before, score, config);
      const fit = fitOf(context.scorerOf(rack.rack_id));
      // A score of another model than the rack's is on another scale; the filter's thresholds travel with the score.
      const ours = fit !== null && score.model_id === fit.scorer.model.id;
      const after = config.mode === "likelihood" && ours ? byRatio(rack, floor, score, fit) : floor;
      rack.mms = after;
      if (ours) observe(rack, score, after, fit);
      if (after.state !== (before?.state ?? "transient")) {
        const { d, tau_fast, tau_persist } = score;
        events.publish("mms", rack.rack_id, {
          state: after.state,
          phase: after.test?.phase ?? null,
          ema: after.ema,
          d,
          tau_fast,
          tau_persist,
        });
        commander.send(rack.rack_id, { kind: "mms_state", state: after.state });
      }
      return after;
    },
    causes() {
      const evidence = current()?.evidence;
      return evidence ? { evidence, follower } : null;
    },
    models() {
      const fit = current();
      return fit && { score_models: fit.models, bounds: fit.bounds, refinement };
    },
    judge(verdict, log_d_mean) {
      const fit = current();
      if (!fit) return;
      const { nominal_log_mean, anomalous_log_mean, log_std } = fit.models;
      const over = (mean: number) => (log_d_mean - mean) / log_std;
      const excess = { over_nominal: over(nominal_log_mean), over_anomalous: over(anomalous_log_mean) };
      refine(learn(refinement, verdict, excess));
    },
    forget: () => refine(NOTHING_LEARNT),
    save,
  };
}

/** D without what a commanded fan and pump add to it: they are where they are on purpose. */
function undrivenD({ d, contributions }: Score): number {
  const driven = (contributions.fan_rpm_pct ?? 0) + (contributions.pump_rpm_pct ?? 0);
  return d * Math.sqrt(Math.max(0, 1 - driven));
}
