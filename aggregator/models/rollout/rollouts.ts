import { randomUUID } from "node:crypto";
import type { ModelsConfig } from "../../../shared/contracts/config.ts";
import type { Ack } from "../../../shared/contracts/messages.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import type { RegisteredModel } from "../../../shared/contracts/registry.ts";
import type { RolloutView } from "../../../shared/contracts/rollout.ts";
import type { Score } from "../../../shared/contracts/score.ts";
import { skadiError } from "../../../shared/errors.ts";
import { believed } from "../../../shared/ims/believed.ts";
import { createScorer, type Scorer } from "../../../shared/ims/score.ts";
import { thresholdsAt } from "../../../shared/ims/thresholds.ts";
import { toFeatures } from "../../../shared/ims/to-features.ts";
import type { Log } from "../../../shared/log.ts";
import { type Clock, isoTime } from "../../../shared/time.ts";
import type { MessageCounter } from "../../commands/counter.ts";
import type { EventBus } from "../../events.ts";
import { agentOnline, type Fleet, type Rack } from "../../fleet.ts";
import type { Store } from "../../store/store.ts";
import { compose, type Target, targetsOf } from "../distribution/compose.ts";
import { createDistributor } from "../distribution/distributor.ts";
import type { SiteKeys } from "../distribution/keys.ts";
import { type Library, type ModelChoice, modelToRun } from "../library.ts";
import type { Registry } from "../registry/registry.ts";
import type { WaveEvidence } from "./gates.ts";
import { type Look, type Observation, type SeenRack, step } from "./machine.ts";
import { scorePairs } from "./pairs.ts";
import {
  type Answer,
  acceptedOf,
  type ModelRef,
  NO_MODELS,
  type RolloutState,
  type SiteModels,
  type Wave,
} from "./state.ts";
import { emptyTally, scoreTallies } from "./tallies.ts";
import { rolloutView } from "./view.ts";

/** Which model runs where, and how it gets there. */
export interface Rollouts {
  /** Of the site's model; null while there is none. */
  scorer(): Scorer | null;
  /** Of the model that a rack is to run: the site's, unless it is pinned or a rollout has reached it. */
  scorerOf(rack_id: string): Scorer | null;
  /**
   * Brings a model to every rack that is not pinned; one that is under way is superseded.
   *
   * @throws SkadiError SKADI_NOT_FOUND if the model's file is gone
   */
  start(model: RegisteredModel, options: { gated: boolean; by: string; reason: string }): RolloutView;
  /**
   * Back to the model before, at once: halts a gated rollout that is under way.
   *
   * @throws SkadiError SKADI_NOT_FOUND if there was none
   */
  rollback(by: string, reason: string): RolloutView;
  /**
   * The racks that have the model go back to what they ran before.
   *
   * @throws SkadiError SKADI_NOT_FOUND, SKADI_CONFLICT if it is over or there is nothing to go back to
   */
  halt(id: string, by: string, reason: string): RolloutView;
  /** Newest first. */
  list(): RolloutView[];
  get(id: string): RolloutView | null;
  /** Pins in the registry are other than before. */
  pinsChanged(): void;
  onAck(rack_id: string, ack: Ack): void;
  /** A score that was accepted in order; MMS has judged it. */
  onScore(rack: Rack, score: Score): void;
  /** Whatever was published on the model topic. */
  onManifest(payload: Uint8Array): void;
  rotateKey(by: string): { key_id: string };
  /** Makes a model the one to run everywhere, without gates. */
  activate(model: ModelFile): void;
  /** Takes up where the store says that we left off; without anything there, the newest model of the library. */
  load(): void;
  /** Publishes what is in force, and keeps it so. */
  announce(): void;
  /** The same after the broker was away, which may have lost what it had retained. */
  announceAgain(): void;
  stop(): void;
}

export interface RolloutsContext {
  site: string;
  config: ModelsConfig;
  keys: SiteKeys;
  counter: MessageCounter;
  library: Library;
  registry: Registry;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  clock: Clock;
  log: Log;
  publish: (topic: string, message: object | null, options: { retain: boolean }) => void;
  /** In an incident: no canary, where that can be helped. */
  inIncident: (rack_id: string) => boolean;
}

const SITE = "site_models";
const PAST = "past_rollouts";
/** The choice of the releases before there were rollouts. */
const CHOICE = "model_choice";
const LOOK_MAX_MS = 1_000;
/** Answers that come together are looked at together. */
const GATHER_MS = 100;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export const keyOverlapMs = (config: ModelsConfig): number => config.key_overlap_days * DAY_MS;

/** Drives the state machine: what it decides is on the disk before anything of it is published. */
export function createRollouts(context: RolloutsContext): Rollouts {
  const { config, keys, library, registry, fleet, store, events, clock, log } = context;
  const { rollout: settings } = config;
  const look_ms = Math.min(LOOK_MAX_MS, (settings.soak_s * 1000) / 20);
  let site: SiteModels = NO_MODELS;
  let targets = new Map<string, Target>();
  let announced = false;
  const scorers = new Map<string, Scorer>();
  /** Answers to the present rollout's model that no look has seen. */
  const answers = new Map<string, Answer>();
  /** What each rack says it runs, from its last answer or status, whichever came later. */
  const runs = new Map<string, string | null>();
  const statuses = new Map<string, Rack["status"]>();
  /** Whether each rack is online and since when, and how often it went offline since the present stage began. */
  const connections = new Map<string, Pick<SeenRack, "online" | "since_ms">>();
  const drops = new Map<string, number>();
  const persistent = new Map<string, boolean>();
  const told = new Map<string, number>();
  const keep_ms = 1000 * Math.max(settings.baseline_s, 5 * settings.soak_s);
  const tallies = scoreTallies(keep_ms);
  const pairs = scorePairs();
  let stopLooking = () => {};
  let cancelGather: (() => void) | null = null;

  const pinnedRacks = () => {
    const scopes = new Set(registry.pins().map(({ scope }) => scope));
    return fleet.racks
      .map(({ rack_id }) => rack_id)
      .filter((rack_id) => scopes.has(rack_id) || scopes.has(rowOf(rack_id)));
  };
  const scorerOfModel = (sha256: string): Scorer | null => {
    const known = scorers.get(sha256);
    if (known) return known;
    const model = registry.file(sha256);
    if (!model) return null;
    const made = createScorer(model);
    scorers.set(sha256, made);
    return made;
  };
  const scorer = () => (site.release ? scorerOfModel(site.release.sha256) : null);
  const retarget = () => {
    const racks = fleet.racks.map(({ rack_id }) => rack_id);
    targets = targetsOf(racks, registry.pins(), site);
    const used = new Set([site.release?.sha256, ...[...targets.values()].map(({ sha256 }) => sha256)]);
    for (const sha256 of scorers.keys()) if (!used.has(sha256)) scorers.delete(sha256);
  };
  const distributor = createDistributor({
    ...{ site: context.site, keys, counter: context.counter, settings: store.settings, clock, log },
    flush: () => store.flush({ durable: true }),
    ttl_ms: config.manifest_ttl_h * HOUR_MS,
    publish: context.publish,
    compose() {
      if (!site.release) return null;
      const composed = compose(
        site.release.sha256,
        targets,
        (sha256) => scorerOfModel(sha256)?.model ?? null,
        config.inline_max_bytes,
      );
      if (!composed)
        log.error({ ...site.release }, "the file of the site's model is gone; agents keep what they have");
      return composed && { ...composed, previous_id: site.previous?.model_id ?? null };
    },
  });

  /** Registry stages follow from the site's state, so they can be put right after a crash as well. */
  const putStages = () => {
    const { release, rollout } = site;
    const by = rollout?.by ?? "rollout";
    const reason = rollout?.reason ?? "newest model of the folder";
    const running = rollout?.state === "running" && rollout.gated ? rollout.model : null;
    if (release && registry.active()?.sha256 !== release.sha256 && registry.find(release.sha256))
      registry.setStage(release.sha256, "active", by, reason);
    for (const model of registry.list()) {
      if (model.sha256 === running?.sha256) registry.setStage(model.sha256, "canary", by, reason);
      else if (model.stage === "canary") {
        const halted = rollout?.model.sha256 === model.sha256 && rollout.state === "rolled_back";
        const [stage, why] = halted
          ? (["retired", "rolled back"] as const)
          : (["candidate", "superseded"] as const);
        registry.setStage(model.sha256, stage, "rollout", `${why} (rollout ${rollout?.id ?? "?"})`);
      }
    }
  };
  const noteRelease = (before: ModelRef | null) => {
    const model = scorer()?.model;
    if (!model || before?.sha256 === model.sha256) return;
    const { id, sha256, created_at, tau_fast, tau_persist } = model;
    const previous_id = before?.model_id ?? null;
    store.models.putActivated({ id, sha256, created_at, activated_at: isoTime(clock.wall(clock.now())) });
    events.publish("model", null, { model_id: id, previous_id, tau_fast, tau_persist });
    log.info({ model_id: id, previous_id, tau_fast, tau_persist }, "model in force");
  };
  const logStory = (rollout: RolloutState) => {
    const { id, story, model, state } = rollout;
    for (const { text } of story.slice(told.get(id) ?? 0)) {
      const level = text.startsWith("Halted") ? "warn" : "info";
      log[level]({ rollout: id, model_id: model.model_id, state }, text);
    }
    told.set(id, story.length);
  };
  const view = (rollout: RolloutState): RolloutView => {
    const online = (rack_id: string) => {
      const rack = fleet.get(rack_id);
      return rack !== undefined && agentOnline(rack);
    };
    return rolloutView(rollout, online, settings.soak_s);
  };
  const apply = (seen: Observation) => {
    const before = site;
    const next = step(site, seen, clock.now(), settings);
    const changed =
      next.site.release !== before.release ||
      next.site.past !== before.past ||
      JSON.stringify(next.site.rollout) !== JSON.stringify(before.rollout);
    if (changed) {
      site = next.site;
      const { past, ...present } = site;
      store.settings.put(SITE, present);
      if (past !== before.past) store.settings.put(PAST, past);
      store.flush({ durable: true });
      if (past !== before.past && past[0]) logStory(past[0]);
      if (site.rollout) logStory(site.rollout);
      putStages();
    }
    // Between two buckets, so that a wave is judged by its own time alone.
    const statesOf = (rollout: RolloutState | null) => rollout?.waves.map(({ state }) => state).join();
    if (next.publish || statesOf(before.rollout) !== statesOf(site.rollout)) {
      tallies.cut();
      pairs.clear();
      drops.clear();
    }
    retarget();
    noteRelease(before.release);
    if (next.publish && announced) distributor.issue();
    if (changed && site.rollout) events.publish("rollout", null, { ...view(site.rollout) });
  };

  const baseline = () => {
    const from_ms = clock.now() - settings.baseline_s * 1000;
    const entries = fleet.racks.map(({ rack_id }) => [rack_id, tallies.latest(rack_id, from_ms)] as const);
    return Object.fromEntries(entries.flatMap(([rack_id, tally]) => (tally ? [[rack_id, tally]] : [])));
  };
  const evidence = (rollout: RolloutState, wave: Wave): WaveEvidence => {
    const inside = new Set(wave.racks);
    const { model_id, sha256 } = rollout.model;
    const since = (rack_id: string, of: string) => tallies.under(rack_id, of, wave.soaking_ms!);
    const treated = acceptedOf(rollout, wave.racks).map((rack_id) => ({
      before: rollout.baseline[rack_id] ?? null,
      now: since(rack_id, model_id),
    }));
    const others = fleet.racks.map(({ rack_id }) => rack_id).filter((rack_id) => !inside.has(rack_id));
    const controls = others.map((rack_id) => {
      const before = rollout.baseline[rack_id] ?? null;
      const own = before?.model_id ?? site.release?.model_id;
      return { before, now: own === undefined ? emptyTally("") : since(rack_id, own) };
    });
    const model = scorerOfModel(sha256)?.model;
    const expected = model ? { nominal: model.distributions.nominal, tau_fast: model.tau_fast } : null;
    return { treated, controls, pairs: pairs.all(), expected };
  };
  /** While a gated rollout is under way, both models score every rack's sample, whichever of them its agent uses. */
  const comparePair = ({ rack_id, sample }: Rack, seq: number) => {
    const { rollout } = site;
    if (rollout?.state !== "running" || !rollout.gated || !rollout.base || sample?.seq !== seq) return;
    const target = targets.get(rack_id);
    if (target?.reason === "pin" || target?.reason === "row") return;
    const [before, after] = [scorerOfModel(rollout.base.sha256), scorerOfModel(rollout.model.sha256)];
    if (!before || !after) return;
    const x = toFeatures(believed(sample));
    const [ratio_before, ratio_after] = [ratioOf(before, x), ratioOf(after, x)];
    if (Number.isFinite(ratio_before) && Number.isFinite(ratio_after))
      pairs.add(rack_id, ratio_before, ratio_after);
  };
  const knownModels = (): ModelRef[] => {
    const { release, previous, rollout } = site;
    return [rollout?.model, rollout?.base, release, previous, ...registry.pins()].flatMap((ref) => ref ?? []);
  };
  const shaOf = (model_id: string | null | undefined) =>
    knownModels().find((ref) => ref.model_id === model_id)?.sha256 ?? null;
  const see = ({ rack_id, status }: Rack, now_ms: number): SeenRack => {
    const online = status?.state === "online";
    const before = connections.get(rack_id);
    if (before?.online && !online) drops.set(rack_id, (drops.get(rack_id) ?? 0) + 1);
    const connection = before?.online === online ? before : { online, since_ms: now_ms };
    connections.set(rack_id, connection);
    if (status !== statuses.get(rack_id)) {
      statuses.set(rack_id, status);
      runs.set(rack_id, online ? (status.model_sha256 ?? shaOf(status.model_id)) : null);
    }
    return {
      ...connection,
      drops: drops.get(rack_id) ?? 0,
      sha256: runs.get(rack_id) ?? null,
      answer: answers.get(rack_id) ?? null,
    };
  };
  const look = () => {
    const now_ms = clock.now();
    const racks = new Map(fleet.racks.map((rack) => [rack.rack_id, see(rack, now_ms)]));
    answers.clear();
    const seen: Look = { kind: "look", racks, baseline, evidence };
    if (site.rollout) apply(seen);
  };
  const gather = () => {
    cancelGather ??= clock.after(GATHER_MS, () => {
      cancelGather = null;
      look();
    });
  };
  const troubled = (rack: Rack) =>
    !agentOnline(rack) || rack.mms?.state === "persistent" || context.inIncident(rack.rack_id);
  const start = (model: ModelRef, options: { gated: boolean; by: string; reason: string }) => {
    if (!registry.file(model.sha256)) {
      const expected = "a model whose file is in the library";
      throw skadiError("SKADI_NOT_FOUND", { field: "model", value: model.model_id, expected });
    }
    const pinned = new Set(pinnedRacks());
    const racks = fleet.racks
      .filter((rack) => !pinned.has(rack.rack_id))
      .map((rack) => ({ rack_id: rack.rack_id, troubled: troubled(rack) }));
    answers.clear();
    const id = `${isoTime(clock.now()).slice(0, 19).replaceAll(/[-:]/g, "")}-${randomUUID().slice(0, 8)}`;
    const { model_id, sha256 } = model;
    apply({ kind: "start", id, model: { model_id, sha256 }, racks, ...options });
    // Racks that run it already need not be waited for; a canary is offered at once.
    if (announced) look();
    return view(site.rollout!);
  };
  const halt = (rollout: RolloutState, by: string, reason: string) => {
    if (rollout.state !== "running" || !rollout.base) {
      const expected = "a rollout that is running, with a model to go back to";
      throw skadiError("SKADI_CONFLICT", {
        field: "rollout",
        value: `${rollout.id} (${rollout.state})`,
        expected,
      });
    }
    apply({ kind: "halt", by, reason });
    return view(site.rollout!);
  };
  const all = () => (site.rollout ? [site.rollout, ...site.past] : site.past);

  return {
    scorer,
    scorerOf(rack_id) {
      const target = targets.get(rack_id);
      return (target && scorerOfModel(target.sha256)) ?? scorer();
    },
    start,
    rollback(by, reason) {
      const { rollout } = site;
      if (rollout?.state === "running" && rollout.gated) return halt(rollout, by, reason);
      const previous = registry.previous();
      if (!previous) {
        const expected = "a model that ran before this one";
        throw skadiError("SKADI_NOT_FOUND", { field: "previous_id", expected });
      }
      return start(previous, { gated: false, by, reason });
    },
    halt(id, by, reason) {
      const rollout = all().find((one) => one.id === id);
      if (!rollout)
        throw skadiError("SKADI_NOT_FOUND", {
          field: "rollout",
          value: id,
          expected: "a rollout of this site",
        });
      return halt(rollout, by, reason);
    },
    list: () => all().map(view),
    get(id) {
      const rollout = all().find((one) => one.id === id);
      return rollout ? view(rollout) : null;
    },
    pinsChanged() {
      apply({ kind: "pinned", racks: pinnedRacks() });
      if (announced) distributor.issue();
    },
    onAck(rack_id, { ok, ref, counter, errors }) {
      if (ok) {
        const sha256 = shaOf(ref);
        if (sha256) runs.set(rack_id, sha256);
      }
      const { rollout } = site;
      // A manifest that an agent cannot trust has no model that it could name.
      const meant = ref === rollout?.model.model_id || (!ok && !ref && counter === distributor.counter());
      if (rollout && meant && targetOf(rack_id) === rollout.model.sha256)
        answers.set(rack_id, { ok, errors });
      if (rollout) gather();
    },
    onScore(rack, { model_id, d, tau_fast, seq }) {
      const now = rack.mms?.state === "persistent";
      const entered = now && persistent.get(rack.rack_id) === false;
      persistent.set(rack.rack_id, now);
      tallies.add(rack.rack_id, clock.now(), { model_id, d, tau_fast, entered });
      comparePair(rack, seq);
    },
    onManifest: distributor.onManifest,
    rotateKey(by) {
      const key_id = distributor.rotateKey();
      events.publish("model_keys", null, { key_id, by, keys: keys.keys() });
      log.info({ key_id, by }, "commands and manifests are signed by a new key");
      return { key_id };
    },
    activate(model) {
      library.save(model);
      const { id: model_id, sha256 } = model;
      start({ model_id, sha256 }, { gated: false, by: "operator", reason: "activated" });
    },
    load() {
      for (const { path, parsed } of library.list()) {
        if (!parsed.ok)
          log.warn({ path, rejections: parsed.rejections }, "skipped a model file that is not valid");
      }
      const kept = store.settings.get(SITE) as Omit<SiteModels, "past"> | undefined;
      const past = (store.settings.get(PAST) as RolloutState[] | undefined) ?? [];
      if (kept) site = { ...kept, past };
      for (const { id, story } of all()) told.set(id, story.length);
      if (site.release) {
        apply({ kind: "restart" });
        // We may have died between writing a pin and the waves without its racks, or the state and the stages
        // that follow from it.
        apply({ kind: "pinned", racks: pinnedRacks() });
        putStages();
        noteRelease(null);
        return;
      }
      const choice = (store.settings.get(CHOICE) as ModelChoice | undefined) ?? null;
      const model = modelToRun(library.models(), choice);
      if (!model) return log.warn("no valid model: samples are kept but not scored here");
      const { id: model_id, sha256 } = model;
      start({ model_id, sha256 }, { gated: false, by: "start", reason: "the newest model of the folder" });
    },
    announce() {
      announced = true;
      distributor.issue();
      distributor.start();
      stopLooking = clock.every(look_ms, look);
      look();
    },
    announceAgain: distributor.issue,
    stop() {
      stopLooking();
      cancelGather?.();
      distributor.stop();
    },
  };

  function targetOf(rack_id: string): string | undefined {
    return targets.get(rack_id)?.sha256 ?? site.release?.sha256;
  }
}

/** D / tau_fast of a sample's features; NaN where there is nothing to score. */
function ratioOf({ model, score }: Scorer, x: Float64Array): number {
  const { d, cluster } = score(x);
  return d / thresholdsAt(model, cluster).tau_fast;
}
