import type { ModelStage } from "../../../shared/contracts/manifest.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import type { Lineage, Pin, RegisteredModel } from "../../../shared/contracts/registry.ts";
import { skadiError } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { type Clock, isoTime } from "../../../shared/time.ts";
import type { EventBus } from "../../events.ts";
import type { Store } from "../../store/store.ts";
import type { Library } from "../library.ts";
import { activationStack } from "./activations.ts";
import { lineageOfFile, readLineage, writeLineage } from "./lineage.ts";

/** Every model of the site: where it came from, at which stage it is, and who put it there. */
export interface Registry {
  /** Newest first. */
  list(): RegisteredModel[];
  /**
   * By id, SHA-256, or the first eight or more digits of it.
   *
   * @throws SkadiError SKADI_CONFLICT where that names more than one
   */
  find(name: string): RegisteredModel | null;
  /** The model itself, checked; null if its file is gone or was altered. */
  file(sha256: string): ModelFile | null;
  /** A new model is a candidate, or was judged already and is retired; one that is known already stays as it is. */
  register(model: ModelFile, lineage: Lineage, by: string, retired?: { reason: string }): RegisteredModel;
  /**
   * One model is active: the one that was retires.
   *
   * @throws SkadiError SKADI_NOT_FOUND
   */
  setStage(sha256: string, stage: ModelStage, by: string, reason: string): void;
  active(): RegisteredModel | null;
  /** What a rollback goes to: the model in force before the active one (see `activationStack`). */
  previous(): RegisteredModel | null;
  pins(): Pin[];
  /** @throws SkadiError SKADI_NOT_FOUND for a model that is not registered */
  pin(scope: string, model: string, by: string): Pin;
  /** @throws SkadiError SKADI_NOT_FOUND for a scope without a pin */
  unpin(scope: string, by: string): Pin;
}

export interface RegistryContext {
  store: Store;
  library: Library;
  events: EventBus;
  clock: Clock;
  log: Log;
}

const HASH_PREFIX = /^[0-9a-f]{8,64}$/;

/**
 * Every change that is asked for outlives the process and a power cut before the call returns. A file that appears in
 * the library's folder is registered when someone looks.
 */
export function createRegistry(context: RegistryContext): Registry {
  const { store, library, events, clock, log } = context;
  const models = new Map(store.registry.all().map((model) => [model.sha256, model]));
  const activated = store.registry.activations();
  const now = () => isoTime(clock.wall(clock.now()));
  const need = (sha256: string) => {
    const model = models.get(sha256);
    if (!model) throw notRegistered(sha256);
    return model;
  };

  const stage = (model: RegisteredModel, to: ModelStage, by: string, reason: string) => {
    const change = { ts: now(), stage: to, by, reason };
    const from = model.history.length > 0 ? model.stage : null;
    store.registry.addStage(model.sha256, change);
    model.history.push(change);
    model.stage = to;
    if (to === "active") activated.push(model.sha256);
    const { model_id, sha256 } = model;
    const told = { model_id, sha256, from, stage: to, by, reason };
    events.publish("model_stage", null, told);
    log.info(told, "model stage");
  };
  const active = () => [...models.values()].find((model) => model.stage === "active") ?? null;
  const activate = (model: RegisteredModel, by: string, reason: string) => {
    const replaced = active();
    if (replaced) stage(replaced, "retired", by, `replaced by ${model.model_id}: ${reason}`);
    stage(model, "active", by, reason);
  };
  const add = (file: ModelFile, lineage: Lineage, by: string, retired?: { reason: string }) => {
    const { id: model_id, sha256, kind, created_at } = file;
    const model: RegisteredModel = {
      ...{ model_id, sha256, kind, created_at, lineage },
      stage: "candidate",
      history: [],
    };
    store.registry.put(model);
    if (retired) stage(model, "retired", by, retired.reason);
    else stage(model, "candidate", by, `${lineage.source}: ${lineage.data}`);
    models.set(sha256, model);
    return model;
  };
  const takeIn = () => {
    for (const { path, parsed } of library.list()) {
      if (!parsed.ok || models.has(parsed.value.sha256)) continue;
      const model = parsed.value;
      add(model, readLineage(path, model) ?? lineageOfFile(model, "found"), "folder");
    }
  };
  /** What ran before there was a registry, so that a rollback has somewhere to go. */
  const takeOver = () => {
    for (const { sha256 } of store.models.activated().toReversed()) {
      const model = models.get(sha256);
      if (model) activate(model, "upgrade", "in force before there was a registry");
    }
  };
  const find = (name: string) => {
    takeIn();
    const known = models.get(name);
    if (known) return structuredClone(known);
    const fits = [...models.values()].filter(
      ({ model_id, sha256 }) => model_id === name || (HASH_PREFIX.test(name) && sha256.startsWith(name)),
    );
    if (fits.length > 1) {
      const hashes = fits.map(({ sha256 }) => sha256.slice(0, 12)).join(" or ");
      throw skadiError("SKADI_CONFLICT", { field: "model", value: name, expected: `one of them: ${hashes}` });
    }
    return structuredClone(fits[0] ?? null);
  };

  const is_new = models.size === 0;
  takeIn();
  if (is_new) takeOver();
  return {
    list() {
      takeIn();
      const newest_first = [...models.values()].sort(
        (a, b) => Date.parse(b.created_at) - Date.parse(a.created_at),
      );
      return structuredClone(newest_first);
    },
    find,
    file: (sha256) => library.models().find((model) => model.sha256 === sha256) ?? null,
    register(file, lineage, by, retired) {
      const known = models.get(file.sha256);
      if (known) {
        library.save(file);
        return structuredClone(known);
      }
      const keepFile = () => {
        // Whoever finds the file after a death in between must not have to guess where it comes from.
        writeLineage(library.pathOf(file), file, lineage);
        library.save(file);
      };
      // A candidate can be read, so its file comes first; one found without its entry is a candidate, so not here.
      if (!retired) keepFile();
      const added = add(file, lineage, by, retired);
      store.flush({ durable: true });
      if (retired) keepFile();
      return structuredClone(added);
    },
    setStage(sha256, to, by, reason) {
      const model = need(sha256);
      if (model.stage === to) return;
      if (to === "active") activate(model, by, reason);
      else stage(model, to, by, reason);
      store.flush({ durable: true });
    },
    active: () => structuredClone(active()),
    previous() {
      const below = activationStack(activated).at(-2);
      return below === undefined ? null : structuredClone(need(below));
    },
    pins: () => store.registry.pins(),
    pin(scope, name, by) {
      const model = find(name);
      if (!model) throw notRegistered(name);
      const { model_id, sha256 } = model;
      const pin: Pin = { scope, model_id, sha256, by, ts: now() };
      store.registry.putPin(pin);
      store.flush({ durable: true });
      events.publish("model_pin", null, { ...pin, pinned: true });
      log.info(pin, "model pinned");
      return pin;
    },
    unpin(scope, by) {
      const pin = store.registry.pins().find((one) => one.scope === scope);
      if (!pin)
        throw skadiError("SKADI_NOT_FOUND", { field: "pin", value: scope, expected: "a pinned scope" });
      store.registry.removePin(scope);
      store.flush({ durable: true });
      const { model_id, sha256 } = pin;
      const told = { scope, model_id, sha256, by };
      events.publish("model_pin", null, { ...told, pinned: false });
      log.info(told, "model unpinned");
      return pin;
    },
  };
}

function notRegistered(model: string) {
  return skadiError("SKADI_NOT_FOUND", { field: "model", value: model, expected: "a registered model" });
}
