import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { messageCounter } from "../../aggregator/commands/counter.ts";
import { eventBus } from "../../aggregator/events.ts";
import { createFleet } from "../../aggregator/fleet.ts";
import { openSiteKeys } from "../../aggregator/models/distribution/keys.ts";
import { modelLibrary } from "../../aggregator/models/library.ts";
import { createRegistry, type Registry } from "../../aggregator/models/registry/registry.ts";
import { createRollouts, type Rollouts } from "../../aggregator/models/rollout/rollouts.ts";
import { openSqliteStore } from "../../aggregator/store/sqlite/sqlite-store.ts";
import type { Store } from "../../aggregator/store/store.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { ModelManifest } from "../../shared/contracts/manifest.ts";
import type { Status } from "../../shared/contracts/messages.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { racksOf } from "../../shared/contracts/rack.ts";
import { modelTopic } from "../../shared/contracts/topics.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { readPublicKey, verifyMessage } from "../../shared/signing.ts";
import { type Clock, isoTime, virtualClock } from "../../shared/time.ts";
import { quickFolder } from "./temporary.ts";

const ROWS = ["A", "B"];
const PER_ROW = 3;
const STEP_MS = 500;
const SITE = "dc1";

/** The process ends here, wherever "here" is. */
class Crash extends Error {}

/** An agent as far as models go: what it keeps on its disk, and the rule by which it follows manifests. */
interface LightAgent {
  rack_id: string;
  online: boolean;
  counter: number;
  sha256: string | null;
}

export interface CrashingSite {
  readonly agents: LightAgent[];
  /** Counters of manifests in the order in which they reached the broker. */
  readonly counters: number[];
  /** Manifests that said other than what was on the disk. */
  readonly ahead_of_disk: number[];
  rollouts(): Rollouts;
  registry(): Registry;
  /** The aggregator dies at the n-th of its writes and publications from now, and comes up again. */
  crashAfter(boundaries: number): void;
  /** An agent loses what it has in memory, and reads the retained manifest again. */
  restartAgent(i: number): void;
  setOnline(i: number, online: boolean): void;
  /** Does something to the aggregator that may meet its end meanwhile. */
  act(what: (rollouts: Rollouts, registry: Registry) => void): void;
  run(seconds: number): void;
}

/**
 * A site of six racks in virtual time: real rollouts, registry, keys and database, in a process that may die of a power
 * cut at any write or publication; what was not synced is lost then. Broker and agents are models of their own.
 *
 * @param options.alarming the share of scores that alarm with each model, by its id
 * @param options.embedded the broker dies with the aggregator and forgets what it had retained
 */
export function crashingSite(options: {
  models: readonly ModelFile[];
  alarming: (model_id: string) => number;
  embedded: boolean;
}): CrashingSite {
  const data_dir = quickFolder();
  const disk = powerlessDisk(data_dir);
  const [first] = options.models;
  for (const model of options.models) writeModelFile(join(data_dir, "models", `${model.id}.json`), model);
  const key_file = join(data_dir, "keys", "site.pem");
  const config = AggregatorConfig.parse({
    ...{ data_dir, rows: ROWS, racks_per_row: PER_ROW },
    models: {
      rollout: {
        ...{ canary_min: 2, wave_shares: [0.6, 1], soak_s: 10, answer_s: 5, baseline_s: 30 },
        gates: { scores_min: 10 },
      },
    },
  });
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const log = createLog("test", "silent");
  const agents: LightAgent[] = racksOf(ROWS, PER_ROW).map((rack_id) => {
    return { rack_id, online: true, counter: 0, sha256: null };
  });
  const by_id = new Map(options.models.map((model) => [model.sha256, model.id]));
  const counters: number[] = [];
  const ahead_of_disk: number[] = [];
  let retained: string | null = null;
  let boundaries_left = Number.POSITIVE_INFINITY;
  let scored = 0;
  const scores_of = new Map<string, number>();
  let life: Life | null = null;
  let lives = 0;

  const boundary = () => {
    if (--boundaries_left < 0) throw new Crash();
  };
  const offer = (agent: LightAgent) => {
    if (!agent.online || retained === null) return;
    const manifest = JSON.parse(retained) as ModelManifest;
    if (manifest.counter < agent.counter || !verifyMessage(manifest, readPublicKey(`${key_file}.pub`)))
      return;
    agent.counter = manifest.counter;
    const assigned = manifest.assignments.find(({ racks }) => racks.includes(agent.rack_id));
    const release = assigned?.release ?? manifest.release;
    agent.sha256 = release.sha256;
    tellStatus(agent);
    life?.mailbox.push(() =>
      life?.rollouts.onAck(agent.rack_id, {
        ...{ v: 1, ts: isoTime(clock.now()), rack_id: agent.rack_id, of: "model", ok: true, errors: [] },
        ...{ ref: release.model_id, counter: manifest.counter },
      }),
    );
  };
  const tellStatus = ({ rack_id, online, sha256 }: LightAgent) => {
    const rack = life?.fleet.get(rack_id);
    if (!rack) return;
    const status: Status = {
      ...{ v: 1, ts: isoTime(clock.now()), rack_id, agent_version: "test", driver: "test", mode: "advisory" },
      ...{ state: online ? "online" : "offline", model_sha256: sha256 },
      model_id: sha256 === null ? null : (by_id.get(sha256) ?? null),
    };
    rack.status = status;
  };
  const publish = (topic: string, message: object | null) => {
    boundary();
    if (topic === modelTopic(SITE) && message) {
      retained = JSON.stringify(message);
      const manifest = message as ModelManifest;
      counters.push(manifest.counter);
      const left = openSqliteStore(disk.afterPowerCut("looked-at.db"), { flush_ms: 1e9, log });
      const kept = left.settings.get("site_models") as { release: { sha256: string } } | undefined;
      if (kept?.release.sha256 !== manifest.release.sha256) ahead_of_disk.push(manifest.counter);
      left.close();
      life?.mailbox.push(() => agents.forEach(offer));
    }
    boundary();
  };

  const boot = (): Life => {
    const file = disk.afterPowerCut(`life-${++lives}.db`);
    const open = openSqliteStore(file, { flush_ms: 1e9, log });
    const own: Pick<Life, "alive"> = { alive: true };
    // A dead process writes nothing any more, whatever still holds it.
    const store: Store = {
      ...open,
      flush(how) {
        if (!own.alive) return;
        boundary();
        open.flush(how);
        if (how?.durable) disk.sync(file);
        boundary();
      },
    };
    const guarded: Clock = {
      ...clock,
      every: (period_ms, task) => clock.every(period_ms, () => own.alive && survive(task)),
      after: (delay_ms, task) => clock.after(delay_ms, () => own.alive && survive(task)),
    };
    const events = eventBus(store, guarded);
    const library = modelLibrary(join(data_dir, "models"));
    const fleet = createFleet(config, store);
    const registry = createRegistry({ store, library, events, clock: guarded, log });
    const rollouts = createRollouts({
      ...{ site: SITE, config: config.models, keys: openSiteKeys(key_file, 1e9), library, registry, fleet },
      ...{
        counter: messageCounter(store.settings, () => clock.now()),
        store,
        events,
        clock: guarded,
        log,
        publish,
      },
      inIncident: () => false,
    });
    return Object.assign(own, { store: open, fleet, registry, rollouts, mailbox: [] });
  };
  const die = () => {
    if (life) life.alive = false;
    life = null;
    boundaries_left = Number.POSITIVE_INFINITY;
    if (options.embedded) retained = null;
  };
  const live = () => {
    life = boot();
    for (const agent of agents) tellStatus(agent);
    life.rollouts.load();
    life.rollouts.announce();
  };
  const survive = (task: () => void) => {
    try {
      task();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      die();
    }
  };
  const score = (agent: LightAgent) => {
    const rack = life?.fleet.get(agent.rack_id);
    if (!life || !rack || !agent.online || agent.sha256 === null) return;
    const model_id = by_id.get(agent.sha256)!;
    // Evenly spread: it is the crashes that are random here.
    const count = (scores_of.get(agent.rack_id) ?? 0) + 1;
    scores_of.set(agent.rack_id, count);
    scored++;
    const share = options.alarming(model_id);
    const alarms = Math.floor(count * share) > Math.floor((count - 1) * share);
    const d = alarms ? 1.1 : 0.7 + (scored % 7) / 50;
    life.rollouts.onScore(rack, {
      ...{
        v: 1,
        ts: isoTime(clock.now()),
        rack_id: agent.rack_id,
        seq: scored,
        d,
        tau_fast: 1,
        tau_persist: 1.2,
      },
      ...{ cluster: 0, contributions: {}, missing: [], model_id, state: "nominal", scored_by: "agent" },
    });
  };
  survive(live);
  if (!life || !first) throw new Error("a site needs a model to start with");
  return {
    ...{ agents, counters, ahead_of_disk },
    rollouts: () => life!.rollouts,
    registry: () => life!.registry,
    crashAfter(boundaries) {
      boundaries_left = boundaries;
    },
    restartAgent: (i) => offer(agents[i]!),
    setOnline(i, online) {
      agents[i]!.online = online;
      tellStatus(agents[i]!);
      offer(agents[i]!);
    },
    act: (what) =>
      survive(() => {
        if (life) what(life.rollouts, life.registry);
      }),
    run(seconds) {
      for (let t = 0; t < seconds * 1000; t += STEP_MS) {
        if (!life) survive(live);
        clock.advance(STEP_MS);
        for (const message of life?.mailbox.splice(0) ?? []) survive(message);
        agents.forEach(score);
      }
    },
  };
}

/** A database file that loses what was not synced; `sync` tells it what the real one keeps of a durable flush. */
function powerlessDisk(folder: string) {
  const synced = join(folder, "synced.db");
  const copy = (from: string, to: string) => {
    for (const end of ["", "-wal"]) if (existsSync(from + end)) copyFileSync(from + end, to + end);
    return to;
  };
  return {
    sync: (file: string) => copy(file, synced),
    /** What would be left if the power went now. */
    afterPowerCut: (name: string) => copy(synced, join(folder, name)),
  };
}

interface Life {
  alive: boolean;
  store: Store;
  fleet: ReturnType<typeof createFleet>;
  registry: Registry;
  rollouts: Rollouts;
  /** Under way to the aggregator or the agents; lost with the process. */
  mailbox: (() => void)[];
}
