import { ModelManifest } from "../../../shared/contracts/manifest.ts";
import { parsePayload } from "../../../shared/contracts/parse.ts";
import { keyRingTopic, modelChunkTopic, modelTopic } from "../../../shared/contracts/topics.ts";
import { MODEL_MAX_BYTES } from "../../../shared/ims/model-file.ts";
import type { Log } from "../../../shared/log.ts";
import { checkSignature } from "../../../shared/signing.ts";
import { type Clock, isoTime } from "../../../shared/time.ts";
import type { MessageCounter } from "../../commands/counter.ts";
import type { SettingStore } from "../../store/store.ts";
import type { Composition } from "./compose.ts";
import type { SiteKeys } from "./keys.ts";

/** Keeps the broker's retained manifest, chunks and key ring what the site wants them to be. */
export interface Distributor {
  /** Publishes chunks, then a new manifest, then ends chunks that nobody needs any more. */
  issue(): void;
  /** The manifest in force; null before the first. */
  counter(): number | null;
  /** Whatever was published on the model topic, by whomever. */
  onManifest(payload: Uint8Array): void;
  /** Renews the manifest before it expires. */
  start(): void;
  stop(): void;
  rotateKey(): string;
}

interface DistributorContext {
  site: string;
  keys: SiteKeys;
  counter: MessageCounter;
  settings: SettingStore;
  /** Writes settings to the disk, so that not even a power cut loses them. */
  flush: () => void;
  clock: Clock;
  log: Log;
  ttl_ms: number;
  publish: (topic: string, message: object | null, options: { retain: boolean }) => void;
  /** What the manifest is to say now; null while the site has no model. */
  compose: () => (Composition & { previous_id: string | null }) | null;
  /** Validity is judged by agents' wall clocks, whatever the speed of `clock`. */
  wall_ms?: () => number;
}

/** Names the models whose chunks are retained, with their number, so that they can be ended after a restart. */
const RETAINED_CHUNKS = "model_chunks";
const CHECK_MS = 60_000;
/** Somebody else on the model topic is answered by our manifest, but not more often than this. */
const ASSERT_MS = 5_000;

export function createDistributor(context: DistributorContext): Distributor {
  const { site, keys, counter, settings, clock, log, ttl_ms, publish } = context;
  const wallMs = context.wall_ms ?? Date.now;
  let issued: { counter: number; at_ms: number } | null = null;
  let stopTimer: (() => void) | undefined;
  let cancelAssert: (() => void) | undefined;

  const retained = () => (settings.get(RETAINED_CHUNKS) as Record<string, number> | undefined) ?? {};
  const keepChunks = (chunks: Composition["chunks"]) => {
    const known = retained();
    const named = Object.fromEntries([...chunks].map(([sha256, parts]) => [sha256, parts.length]));
    // What may be retained is written down first: after a crash or a power cut it can still be ended.
    settings.put(RETAINED_CHUNKS, { ...known, ...named });
    context.flush();
    for (const [sha256, parts] of chunks)
      for (const [n, part] of parts.entries())
        publish(modelChunkTopic(site, sha256, n), part, { retain: true });
    return () => {
      for (const [sha256, count] of Object.entries(known)) {
        const kept = named[sha256] ?? 0;
        for (let n = kept; n < count; n++) publish(modelChunkTopic(site, sha256, n), null, { retain: true });
      }
      settings.put(RETAINED_CHUNKS, named);
    };
  };
  const publishRing = () => {
    const ring = keys.ring();
    if (ring) publish(keyRingTopic(site), ring, { retain: true });
  };
  const issue = () => {
    cancelAssert?.();
    cancelAssert = undefined;
    const composed = context.compose();
    if (!composed) return;
    const at_ms = wallMs();
    const { release, assignments, models, previous_id } = composed;
    // The counter is written down with the chunks, before anybody sees it.
    const manifest: ModelManifest = {
      ...{ v: 1, kind: "ims", counter: counter.next(), previous_id, release, assignments, models },
      issued_at: isoTime(at_ms),
      expires_at: isoTime(at_ms + ttl_ms),
      key_id: keys.current_id(),
    };
    // Agents must know the key before they see what it signed.
    publishRing();
    const endOthers = keepChunks(composed.chunks);
    publish(modelTopic(site), keys.sign(manifest), { retain: true });
    endOthers();
    issued = { counter: manifest.counter, at_ms };
    const assigned = assignments.map(
      ({ release: of, reason, racks }) => `${of.model_id}: ${racks.length} (${reason})`,
    );
    log.info(
      { counter: manifest.counter, model_id: release.model_id, assigned, expires_at: manifest.expires_at },
      "model manifest issued",
    );
  };
  const check = () => {
    const retired = keys.retire(counter.next, wallMs());
    if (retired) log.info({ keys: keys.keys() }, "agents are told to trust replaced keys no longer");
    if (retired || (issued && wallMs() - issued.at_ms >= ttl_ms / 2)) issue();
  };
  return {
    issue,
    counter: () => issued?.counter ?? null,
    onManifest(payload) {
      const ours = payload.byteLength > 0 ? signedCounter(payload, keys) : null;
      if (ours !== null) counter.observe(ours);
      if (!issued || ours === issued.counter || cancelAssert) return;
      // An older one of ours is the echo of what we replaced since.
      if (ours !== null && ours < issued.counter) return;
      log.warn({ counter: ours }, "somebody else wrote on the model topic; our manifest is issued again");
      cancelAssert = clock.after(ASSERT_MS, issue);
    },
    start() {
      stopTimer = clock.every(Math.min(CHECK_MS, ttl_ms / 4), check);
    },
    stop() {
      stopTimer?.();
      cancelAssert?.();
    },
    rotateKey() {
      const key_id = keys.rotate(counter.next(), wallMs());
      log.info({ key_id, keys: keys.keys() }, "site key rotated");
      issue();
      // Without a model there is no manifest, but commands are signed by the new key all the same.
      if (!issued) publishRing();
      return key_id;
    },
  };
}

/** The counter of a manifest that this site signed; null for anything else. */
function signedCounter(payload: Uint8Array, keys: SiteKeys): number | null {
  const parsed = parsePayload(ModelManifest, payload, MODEL_MAX_BYTES);
  if (!parsed.ok) return null;
  const key = keys.trusted(parsed.value.key_id);
  return key && !checkSignature(payload, key) ? parsed.value.counter : null;
}
