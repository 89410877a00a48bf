import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { ModelManifest, type Release, type ShadowReport } from "../../shared/contracts/manifest.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { type Parsed, parsePayload } from "../../shared/contracts/parse.ts";
import { type Rejection, reject } from "../../shared/errors.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { readModelFile } from "../../shared/ims/model-file.ts";
import { createScorer, type Scorer } from "../../shared/ims/score.ts";
import type { Clock } from "../../shared/time.ts";
import { availability } from "./availability.ts";
import { type ModelFiles, openModelCache } from "./cache.ts";
import { CHECKED_AT_ONCE_BYTES, checkModel, tooLarge } from "./check.ts";
import type { CheckedModel } from "./check-bytes.ts";
import { awaitDelivery, type Delivery, type Listen } from "./delivery.ts";
import type { OnProblem } from "./kept-file.ts";
import { type AcceptedManifest, digestOf, isExpired, judgeManifest, releaseFor } from "./manifest-gate.ts";
import { lastHour, shadowReport, shadowVerdict } from "./shadow.ts";
import type { Trust } from "./trust.ts";

/** What this rack makes of a manifest. */
export interface ModelAnswer {
  /** Of the model that the rack was to run; unknown where the manifest could not be read. */
  model_id: string | undefined;
  counter: number | undefined;
  /** None: the rack runs it. */
  rejections: Rejection[];
  shadow?: ShadowReport;
}

/**
 * The model in use. A better one replaces it between two ticks; a bad one never does. Whatever is refused, expired,
 * missing or broken, the rack is scored with what it has.
 */
export interface ModelSlot {
  readonly scorer: Scorer | null;
  /** The newest accepted manifest, and whether it has expired since; null before the first. */
  readonly manifest: { counter: number; stale: boolean } | null;
  /** From now on it is noticed when the manifest expires. */
  start(): void;
  /** Judges a retained manifest as it came from the wire; the answer may take as long as the model's delivery. */
  offer(payload: Uint8Array): void;
  offerKeys(payload: Uint8Array): void;
  /**
   * Notes a sample.
   *
   * @param delivered its features, NaN where there was no good reading
   * @param scored the same as the model was given them
   */
  observe(at_ms: number, delivered: Float64Array, scored: Float64Array): void;
  /** A tick is over: what takes longer than a moment is done now, when the next one is farthest. */
  ticked(): void;
  stop(): Promise<void>;
}

export interface ModelSlotOptions {
  rack_id: string;
  files: ModelFiles;
  config: Pick<AgentConfig["model"], "file" | "parts_wait_s" | "missing_features_max" | "shadow">;
  score_s: number;
  trust: Trust;
  /** Follows real time: manifests expire and networks take theirs however fast a simulation runs. */
  clock: Clock;
  listen: Listen;
  onAnswer(answer: ModelAnswer): void;
  onSwap(model: ModelFile): void;
  /** Model or manifest are not what the last status said. */
  onNews(): void;
  onKeys(ids: string[]): void;
  onProblem: OnProblem;
}

/** How often it is looked whether the manifest has expired. */
const FRESHNESS_MS = 60_000;

/** The manifest that is being followed. */
interface Pursuit {
  digest: string;
  manifest: ModelManifest;
  release: Release;
  delivery: Delivery | null;
  /** The last word on its model is spoken. */
  done: boolean;
}

export function openModelSlot(options: ModelSlotOptions): ModelSlot {
  const { rack_id, config, trust, clock, onProblem } = options;
  const cache = openModelCache(options.files, onProblem);
  const sensors = availability();
  const hour = lastHour(FEATURES.length, options.score_s);
  const wall_ms = () => clock.wall(clock.now());
  const first = cache.model ?? modelFromFile(config.file, onProblem);
  let scorer: Scorer | null = first && createScorer(first);
  let accepted: AcceptedManifest | null = cache.accepted;
  let pursuit: Pursuit | null = null;
  /** The last answer, so that a manifest that is delivered again is not answered again. */
  let answered = "";
  /** Waits for its signer to be announced. */
  let unknown_signer: Uint8Array | null = null;
  let known_stale = false;
  let waiting: (() => void)[] = [];

  const isStale = () => accepted !== null && isExpired(accepted, wall_ms());
  /**
   * Whether the manifest has expired, or been renewed, since the last look. An expired one takes nothing away: the rack
   * goes on with its model, and says that it hears nothing newer.
   */
  const freshnessChanged = (): boolean => {
    if (isStale() === known_stale) return false;
    known_stale = !known_stale;
    if (known_stale && accepted) {
      const detail = { field: "expires_at", value: accepted.expires_at, expected: "a newer manifest" };
      onProblem([reject("SKADI_MANIFEST_EXPIRED", detail)], `manifest ${accepted.counter}`);
    }
    return true;
  };

  const answer = (digest: string, given: ModelAnswer) => {
    const brief = `${digest} ${given.rejections[0]?.code ?? "ok"}`;
    if (brief === answered) return;
    answered = brief;
    options.onAnswer(given);
  };
  const answerFor = (
    { digest, manifest, release }: Pursuit,
    rejections: Rejection[],
    shadow?: ShadowReport,
  ) => {
    const of = { model_id: release.model_id, counter: manifest.counter };
    answer(digest, { ...of, rejections, ...(shadow && { shadow }) });
    options.onNews();
  };
  const conclude = (by: Pursuit, rejections: Rejection[], shadow?: ShadowReport) => {
    by.done = true;
    answerFor(by, rejections, shadow);
  };

  /** From here on no older manifest is followed, whatever becomes of this one's model. */
  const accept = (digest: string, { counter, expires_at }: ModelManifest) => {
    if (accepted?.digest === digest) return;
    accepted = { counter, digest, expires_at };
    cache.accept(accepted);
    known_stale = false;
  };

  const follow = (digest: string, manifest: ModelManifest) => {
    const release = releaseFor(manifest, rack_id);
    if (pursuit && !pursuit.done && isSamePayload(pursuit.release, release)) {
      Object.assign(pursuit, { digest, manifest, release });
      return;
    }
    pursuit?.delivery?.stop();
    const next: Pursuit = { digest, manifest, release, delivery: null, done: false };
    pursuit = next;
    if (scorer?.model.sha256 === release.sha256) return conclude(next, []);
    const before = cache.previous(release.sha256);
    if (before) goOn(next, goBack(next, before));
    else fetchModel(next);
  };
  /** Whatever goes wrong on the way, the agent lives and the old model stays. */
  const goOn = (by: Pursuit, work: Promise<void>) => {
    work.catch((error: unknown) => {
      const expected = `a model that can be taken (${error instanceof Error ? error.message : String(error)})`;
      if (by === pursuit) conclude(by, [reject("SKADI_INTERNAL", { field: "model", expected })]);
    });
  };

  const fetchModel = (by: Pursuit) => {
    const { release, manifest } = by;
    const too_large = tooLarge(release);
    if (too_large) return conclude(by, [too_large]);
    if (release.chunks === 0) {
      const inline = inlineModel(manifest, release);
      if (inline.ok) goOn(by, check(by, Buffer.from(JSON.stringify(inline.value))));
      else conclude(by, inline.rejections);
      return;
    }
    by.delivery = awaitDelivery({
      release,
      clock,
      wait_s: config.parts_wait_s,
      listen: options.listen,
      onComplete: (bytes) => goOn(by, check(by, bytes)),
      onIncomplete: (rejection) => answerFor(by, [rejection]),
    });
  };
  /** The way back to the model before needs no network. */
  const goBack = async (by: Pursuit, bytes: Uint8Array<ArrayBuffer>) => {
    const checked = await checkModel(bytes, by.release);
    if (by !== pursuit) return;
    if (checked.ok) return take(by, checked.value, bytes, { known: true });
    onProblem(checked.rejections, options.files.previous);
    fetchModel(by);
  };
  const check = async (by: Pursuit, bytes: Uint8Array<ArrayBuffer>) => {
    const checked = await checkModel(bytes, by.release);
    if (by !== pursuit) return;
    if (!checked.ok) return conclude(by, checked.rejections);
    const absent = sensors.judge(checked.value.model.features, config.missing_features_max);
    // A poor score is better than none.
    if (absent && scorer) return conclude(by, [absent]);
    await take(by, checked.value, bytes, { known: false });
  };
  /** Judges a sound model by the rack's own last hour, and swaps. */
  const take = async (
    by: Pursuit,
    { model, prepared }: CheckedModel,
    bytes: Uint8Array<ArrayBuffer>,
    { known }: { known: boolean },
  ) => {
    if (bytes.byteLength > CHECKED_AT_ONCE_BYTES) await afterTick();
    if (by !== pursuit) return;
    const offered = createScorer(model, prepared);
    const shadow = await shadowReport(hour.rows(), scorer, offered);
    if (by !== pursuit || !accepted) return;
    // What this rack has run before is no unknown risk, and a way back must not be barred by a bad hour.
    const wrong = known ? undefined : shadowVerdict(shadow, config.shadow);
    if (wrong) return conclude(by, [wrong], shadow);
    scorer = offered;
    options.onSwap(model);
    await cache.keep(model, Buffer.from(bytes).toString("utf8"), accepted);
    if (by === pursuit) conclude(by, [], shadow);
  };
  const afterTick = () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
    });

  const offer = (payload: Uint8Array) => {
    const digest = digestOf(payload);
    if (digest === pursuit?.digest) return pursuit.delivery?.hurry();
    const judged = judgeManifest({ payload, keys: trust.keys(), accepted, now_ms: wall_ms() });
    if (judged.ok) {
      unknown_signer = null;
      accept(digest, judged.value);
      return follow(digest, judged.value);
    }
    if (judged.rejections[0]?.code === "SKADI_UNKNOWN_KEY") unknown_signer = payload;
    answer(digest, { ...claims(payload, rack_id), rejections: judged.rejections });
  };

  freshnessChanged();
  let stopLooking = () => {};
  return {
    get scorer() {
      return scorer;
    },
    get manifest() {
      return accepted && { counter: accepted.counter, stale: isStale() };
    },
    start() {
      stopLooking = clock.every(FRESHNESS_MS, () => {
        if (freshnessChanged()) options.onNews();
      });
    },
    offer,
    offerKeys(payload) {
      // A rack that was given no key has no use for others.
      if (trust.keys().size === 0) return;
      const judged = trust.offer(payload);
      if (!judged.ok) return onProblem(judged.rejections, "key ring");
      if (!judged.value) return;
      options.onKeys([...trust.keys().keys()]);
      if (unknown_signer) offer(unknown_signer);
    },
    observe(at_ms, delivered, scored) {
      sensors.note(delivered);
      hour.add(at_ms, scored);
    },
    ticked() {
      const ready = waiting;
      waiting = [];
      for (const go of ready) go();
    },
    async stop() {
      stopLooking();
      pursuit?.delivery?.stop();
      pursuit = null;
      await Promise.all([cache.settled(), trust.settled()]);
    },
  };
}

function modelFromFile(file: string | undefined, onProblem: OnProblem): ModelFile | null {
  if (!file) return null;
  const model = readModelFile(file);
  if (model.ok) return model.value;
  onProblem(model.rejections, file);
  return null;
}

/** The same model, travelling in the same way. */
function isSamePayload(a: Release, b: Release): boolean {
  return a.sha256 === b.sha256 && a.chunks === b.chunks && a.bytes === b.bytes;
}

/** The payload that the manifest carries for this release; its content is judged later. */
function inlineModel({ models }: ModelManifest, release: Release): Parsed<unknown> {
  const claimed = models.map((model) => (model as { sha256?: unknown } | null)?.sha256);
  const at = claimed.indexOf(release.sha256);
  if (at >= 0) return { ok: true, value: models[at] };
  const detail = { field: "models", value: claimed.join(","), expected: release.sha256 };
  const code = models.length === 0 ? "SKADI_MODEL_INCOMPLETE" : "SKADI_MODEL_MISMATCH";
  return { ok: false, rejections: [reject(code, detail)] };
}

/** What a refused manifest says of itself, so that the refusal can name it. */
function claims(payload: Uint8Array, rack_id: string): Pick<ModelAnswer, "model_id" | "counter"> {
  const parsed = parsePayload(ModelManifest, payload);
  if (!parsed.ok) return { model_id: undefined, counter: undefined };
  return { model_id: releaseFor(parsed.value, rack_id).model_id, counter: parsed.value.counter };
}
