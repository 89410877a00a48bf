import type { KeyObject } from "node:crypto";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { modelTopic } from "../../shared/contracts/topics.ts";
import { createScorer, type Scorer } from "../../shared/ims/score.ts";
import type { Log } from "../../shared/log.ts";
import { isoTime } from "../../shared/time.ts";
import type { MessageCounter } from "../commands/counter.ts";
import type { EventBus } from "../events.ts";
import type { Rejections } from "../ingest/rejections.ts";
import type { Store } from "../store/store.ts";
import { type Library, type ModelChoice, modelToRun } from "./library.ts";
import { makeManifest, readManifest } from "./manifest.ts";

export interface Rollout {
  /** The model in force; null while there is none. */
  scorer(): Scorer | null;
  /** Takes the model to run from the library; without any, agents run on their own caches. */
  loadNewest(): void;
  /** A manifest on the model topic: ours, or one that the command line published. */
  onManifest(payload: Uint8Array): void;
  /** Publishes the model in force, unless the retained manifest already says so. */
  announce(): void;
  /** The same after the broker was away, which may have lost what it had retained. */
  announceAgain(): void;
  /** Makes a model the one to run, here and on every agent. */
  activate(model: ModelFile): void;
}

interface RolloutContext {
  site: string;
  keys: { private_key: KeyObject; public_key: KeyObject };
  counter: MessageCounter;
  library: Library;
  store: Store;
  events: EventBus;
  rejections: Rejections;
  log: Log;
  publish: (topic: string, message: object, options: { retain: boolean }) => void;
}

const CHOICE = "model_choice";

export function createRollout(context: RolloutContext): Rollout {
  const { library, store, events, log } = context;
  let scorer: Scorer | null = null;
  /** What the broker has retained, as far as we have seen it. */
  let retained: { counter: number; model_id: string; sha256: string } | null = null;
  /** Until the first announcement, a manifest is one voice among the models; after it, an order. */
  let starting = true;

  const use = (model: ModelFile) => {
    if (scorer?.model.sha256 === model.sha256) return;
    const previous_id = scorer?.model.id ?? null;
    scorer = createScorer(model);
    const { id, sha256, created_at, tau_fast, tau_persist } = model;
    store.models.putActivated({ id, sha256, created_at, activated_at: isoTime(Date.now()) });
    events.publish("model", null, { model_id: id, previous_id, tau_fast, tau_persist });
    log.info({ model_id: id, previous_id, tau_fast, tau_persist }, "model in force");
  };
  const choose = (model: ModelFile, chosen_ms: number) => {
    const choice: ModelChoice = { sha256: model.sha256, chosen_ms };
    store.settings.put(CHOICE, choice);
    library.save(model);
    use((starting && modelToRun(library.models(), choice)) || model);
  };
  /** What ran before, from our own records: a broker that restarted no longer knows. */
  const previousId = (model_id: string) =>
    store.models.activated().find((record) => record.id !== model_id)?.id ?? null;
  const announce = () => {
    starting = false;
    if (!scorer || retained?.sha256 === scorer.model.sha256) return;
    const { model } = scorer;
    const previous_id = retained?.model_id ?? previousId(model.id);
    const manifest = makeManifest(model, {
      counter: context.counter.next(),
      previous_id,
      key: context.keys.private_key,
    });
    retained = { counter: manifest.counter, model_id: model.id, sha256: model.sha256 };
    context.publish(modelTopic(context.site), manifest, { retain: true });
  };
  return {
    scorer: () => scorer,
    loadNewest() {
      for (const { path, parsed } of library.list()) {
        if (!parsed.ok)
          log.warn({ path, rejections: parsed.rejections }, "skipped a model file that is not valid");
      }
      const model = modelToRun(
        library.models(),
        (store.settings.get(CHOICE) as ModelChoice | undefined) ?? null,
      );
      if (model) use(model);
      else log.warn("no valid model: samples are kept but not scored here");
    },
    onManifest(payload) {
      if (payload.byteLength === 0) {
        retained = null;
        return;
      }
      const parsed = readManifest(payload, context.keys.public_key);
      if (!parsed.ok) return context.rejections.record("manifest", "model", parsed.rejections);
      const { counter, model, issued_at } = parsed.value;
      if (retained && counter <= retained.counter) return;
      context.counter.observe(counter);
      retained = { counter, model_id: model.id, sha256: model.sha256 };
      choose(model, Date.parse(issued_at));
    },
    announce,
    announceAgain() {
      retained = null;
      announce();
    },
    activate(model) {
      choose(model, Date.now());
      announce();
    },
  };
}
