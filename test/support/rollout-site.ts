import type { WaveEvidence } from "../../aggregator/models/rollout/gates.ts";
import { type Observation, type SeenRack, step } from "../../aggregator/models/rollout/machine.ts";
import { scorePairs } from "../../aggregator/models/rollout/pairs.ts";
import {
  acceptedOf,
  NO_MODELS,
  offeredRacks,
  type RolloutState,
  type SiteModels,
  type Wave,
} from "../../aggregator/models/rollout/state.ts";
import { emptyTally, scoreTallies } from "../../aggregator/models/rollout/tallies.ts";
import { AggregatorConfig, type RolloutConfig } from "../../shared/contracts/config.ts";
import { racksOf as rackNames, rowNames } from "../../shared/contracts/rack.ts";
import { seededRandom } from "../../shared/random.ts";

/** Nominal operation: ln D is normal, tau_fast its 95th percentile. */
const LOG_STD = 0.24;
const Z_95 = 1.645;
const TAU_FAST = Math.exp(LOG_STD * Z_95);
/** D drifts with a memory of two minutes; racks differ for good, and the whole site moves over the day. */
const SCORE_S = 5;
const MEMORY = Math.exp(-SCORE_S / 120);
const RACK_SPREAD = 0.25;
const SITE_SWING = 0.3;
/** Correlation of what two models of the same operation make of a sample. */
const SHARED = Math.sqrt(0.75);
const DAY_S = 86_400;

export const OLD = { model_id: "old", sha256: "0".repeat(64) };
export const NEW = { model_id: "new", sha256: "1".repeat(64) };

export const rolloutConfig = (changes: object = {}): RolloutConfig =>
  AggregatorConfig.parse({ models: { rollout: changes } }).models.rollout;

export interface NoisySite {
  now_ms: number;
  site: SiteModels;
  /** Lets the racks score for so long, with a look every 5 s. */
  run(seconds: number): void;
  see(observation: Observation): void;
}

/**
 * A site whose racks score by a law with memory, and whose agents take whatever they are told to run within one look.
 *
 * Both models see the same operation, each with half of its own noise besides.
 *
 * @param options.ratio what the new model makes of D / tau_fast, relative to the old one; 1: the same
 * @param options.troubled a rack that breaks down when the new model reaches the first racks
 */
export function noisySite(options: {
  seed: number;
  rows?: number;
  per_row?: number;
  ratio?: number;
  config?: RolloutConfig;
  fault?: (rack_id: string, site: SiteModels) => boolean;
}): NoisySite {
  const { seed, rows = 6, per_row = 12, ratio = 1, config = rolloutConfig() } = options;
  const racks = rackNames(rowNames(rows), per_row);
  const random = seededRandom(seed);
  const own = new Map(racks.map((rack_id) => [rack_id, RACK_SPREAD * random.normal()]));
  const state = new Map<string, number>();
  const streaks = new Map<string, number>();
  const phase = random.range(0, DAY_S);
  const tallies = scoreTallies(1000 * Math.max(config.baseline_s, 5 * config.soak_s));
  const pairs = scorePairs();
  const innovation = Math.sqrt(1 - MEMORY ** 2);

  const modelOf = (rack_id: string, site: SiteModels) => {
    const { canary, wave } = offeredRacks(site.rollout);
    return canary.includes(rack_id) || wave.includes(rack_id) ? site.rollout!.model : site.release!;
  };
  const advance = (key: string) => {
    const x = MEMORY * (state.get(key) ?? random.normal()) + innovation * random.normal();
    state.set(key, x);
    return x;
  };
  const score = (rack_id: string, model_id: string, now_ms: number, broken: boolean) => {
    const swing = SITE_SWING * Math.sin((2 * Math.PI * (now_ms / 1000 + phase)) / DAY_S);
    const x = advance(rack_id);
    const dOf = (name: string) => {
      const z = SHARED * x + Math.sqrt(1 - SHARED ** 2) * advance(`${rack_id} ${name}`);
      return Math.exp(LOG_STD * (z + own.get(rack_id)! + swing)) * (broken ? 2 : 1);
    };
    const [before, after] = [dOf("old") / TAU_FAST, (dOf("new") / TAU_FAST) * ratio];
    if (self.site.rollout?.state === "running") pairs.add(rack_id, before, after);
    const tau_fast = TAU_FAST;
    const d = (model_id === NEW.model_id ? after : before) * tau_fast;
    // Twelve alarms in a row stand for what MMS would call persistent.
    const streak = d >= tau_fast ? (streaks.get(rack_id) ?? 0) + 1 : 0;
    streaks.set(rack_id, streak);
    tallies.add(rack_id, now_ms, { model_id, d, tau_fast, entered: streak === 12 });
  };
  const evidence = (rollout: RolloutState, wave: Wave): WaveEvidence => {
    const inside = new Set(wave.racks);
    const of = (rack_id: string, model_id: string) => ({
      before: rollout.baseline[rack_id] ?? null,
      now: tallies.under(rack_id, model_id, wave.soaking_ms!),
    });
    const before = (rack_id: string) => rollout.baseline[rack_id]?.model_id ?? "old";
    return {
      treated: acceptedOf(rollout, wave.racks).map((rack_id) => of(rack_id, rollout.model.model_id)),
      controls: racks
        .filter((rack_id) => !inside.has(rack_id))
        .map((rack_id) => of(rack_id, before(rack_id))),
      pairs: pairs.all(),
      expected: { nominal: { ...NOMINAL }, tau_fast: TAU_FAST / ratio },
    };
  };
  const self: NoisySite = {
    now_ms: Date.UTC(2026, 0, 1),
    site: { ...NO_MODELS, release: OLD },
    see(observation) {
      const before = self.site.rollout?.waves.map((wave) => wave.state).join();
      self.site = step(self.site, observation, self.now_ms, config).site;
      if (self.site.rollout?.waves.map((wave) => wave.state).join() !== before) {
        tallies.cut();
        pairs.clear();
      }
    },
    run(seconds) {
      for (let t = 0; t < seconds; t += SCORE_S) {
        self.now_ms += SCORE_S * 1000;
        for (const rack_id of racks) {
          const broken = options.fault?.(rack_id, self.site) ?? false;
          score(rack_id, modelOf(rack_id, self.site).model_id, self.now_ms, broken);
        }
        const seen = new Map<string, SeenRack>(
          racks.map((rack_id) => [
            rack_id,
            { online: true, since_ms: 0, drops: 0, sha256: modelOf(rack_id, self.site).sha256, answer: null },
          ]),
        );
        const baseline = () => {
          const from_ms = self.now_ms - config.baseline_s * 1000;
          return Object.fromEntries(
            racks.map((rack_id) => [rack_id, tallies.latest(rack_id, from_ms) ?? emptyTally("old")]),
          );
        };
        self.see({ kind: "look", racks: seen, baseline, evidence });
      }
    },
  };
  return self;
}

const NOMINAL = { count: 1, mean: 1.03, std: 0.25, log_mean: 0, log_std: LOG_STD };

/** A gated rollout from start to end, after an hour of the old model; what became of it. */
export function rollOut(site: NoisySite, racks: readonly string[], hours = 6): RolloutState {
  site.run(3_600);
  site.see({
    ...{ kind: "start", id: "r1", model: NEW, gated: true, by: "test", reason: "to see" },
    racks: racks.map((rack_id) => ({ rack_id, troubled: false })),
  });
  for (let h = 0; h < hours * 12 && site.site.rollout?.state === "running"; h++) site.run(300);
  return site.site.rollout!;
}
