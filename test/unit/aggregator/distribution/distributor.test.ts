import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { messageCounter } from "../../../../aggregator/commands/counter.ts";
import { compose } from "../../../../aggregator/models/distribution/compose.ts";
import { createDistributor } from "../../../../aggregator/models/distribution/distributor.ts";
import { openSiteKeys } from "../../../../aggregator/models/distribution/keys.ts";
import { openSqliteStore } from "../../../../aggregator/store/sqlite/sqlite-store.ts";
import type { ModelManifest } from "../../../../shared/contracts/manifest.ts";
import type { ModelFile } from "../../../../shared/contracts/model.ts";
import { keyRingTopic, modelChunkTopic, modelTopic } from "../../../../shared/contracts/topics.ts";
import { createLog } from "../../../../shared/log.ts";
import { virtualClock } from "../../../../shared/time.ts";
import { smallModel } from "../../../support/models.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

const SITE = "dc1";
const HOUR_MS = 3_600_000;
const first = smallModel({ seed: 1 });
const second = smallModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2) });

function given(options: { inline_max_bytes?: number } = {}) {
  const folder = temporaryFolder();
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const log = createLog("test", "silent");
  const store = openSqliteStore(join(folder, "store.db"), { flush_ms: 1e9, log });
  onTestFinished(() => store.close());
  const keys = openSiteKeys(join(folder, "site.pem"), 1_000 * HOUR_MS);
  const published: { topic: string; message: object | null }[] = [];
  let model: ModelFile | null = first;
  const distributor = createDistributor({
    ...{ site: SITE, keys, settings: store.settings, clock, log, ttl_ms: 24 * HOUR_MS, wall_ms: clock.now },
    counter: messageCounter(store.settings, clock.now),
    flush: store.flush,
    publish: (topic, message) => published.push({ topic, message }),
    compose() {
      const composed =
        model && compose(model.sha256, new Map(), () => model, options.inline_max_bytes ?? 65_536);
      return composed && { ...composed, previous_id: null };
    },
  });
  const manifests = () =>
    published
      .filter(({ topic }) => topic === modelTopic(SITE))
      .map(({ message }) => message as ModelManifest);
  return {
    ...{ clock, keys, published, distributor, manifests },
    use(next: ModelFile | null) {
      model = next;
    },
    wire: (message: unknown) => Buffer.from(JSON.stringify(message)),
  };
}

describe("the distributor", () => {
  it("signs a manifest that is valid for its time, under a counter that only rises", () => {
    const { distributor, manifests, keys } = given();
    distributor.issue();
    distributor.issue();
    const [one, two] = manifests();
    expect(two!.counter).toBeGreaterThan(one!.counter);
    expect(Date.parse(one!.expires_at) - Date.parse(one!.issued_at)).toBe(24 * HOUR_MS);
    expect(one!.key_id).toBe(keys.current_id());
    expect(one!.models).toEqual([first]);
  });

  it("issues it again at half its time, for as long as it runs", () => {
    const { distributor, manifests, clock } = given();
    distributor.issue();
    distributor.start();
    clock.advance(11.9 * HOUR_MS);
    expect(manifests()).toHaveLength(1);
    clock.advance(0.2 * HOUR_MS);
    expect(manifests()).toHaveLength(2);
    distributor.stop();
    clock.advance(24 * HOUR_MS);
    expect(manifests()).toHaveLength(2);
  });

  it("retains parts before the manifest that names them, and ends those of the model before after it", () => {
    const { distributor, published, use } = given({ inline_max_bytes: 0 });
    distributor.issue();
    use(second);
    distributor.issue();
    const part = (model: ModelFile) => modelChunkTopic(SITE, model.sha256, 0);
    expect(published.map(({ topic, message }) => [topic, message === null])).toEqual([
      [part(first), false],
      [modelTopic(SITE), false],
      [part(second), false],
      [modelTopic(SITE), false],
      [part(first), true],
    ]);
  });

  it("answers a stranger's manifest, or none, with its own, but not in a race", () => {
    const { distributor, manifests, clock, keys, wire } = given();
    distributor.issue();
    const [ours] = manifests();
    distributor.onManifest(wire(ours));
    clock.advance(60_000);
    expect(manifests()).toHaveLength(1);
    distributor.onManifest(Buffer.alloc(0));
    distributor.onManifest(wire({ ...ours, counter: ours!.counter + 5 }));
    clock.advance(60_000);
    expect(manifests()).toHaveLength(2);
    // One of ours from another life, with a higher counter: ours must come after it.
    const { signature: _, ...content } = ours!;
    const later = keys.sign({ ...content, counter: ours!.counter + 1e9 } as ModelManifest);
    distributor.onManifest(wire(later));
    clock.advance(60_000);
    expect(manifests().at(-1)!.counter).toBeGreaterThan(later.counter);
  });

  it("announces a new key before anything that it signed", () => {
    const { distributor, published, keys } = given();
    distributor.issue();
    const key_id = distributor.rotateKey();
    const after = published.slice(1);
    expect(after.map(({ topic }) => topic)).toEqual([keyRingTopic(SITE), modelTopic(SITE)]);
    expect(after[1]!.message).toMatchObject({ key_id });
    expect(keys.current_id()).toBe(key_id);
  });

  it("without a model says nothing, except which keys to trust", () => {
    const { distributor, published, use } = given();
    use(null);
    distributor.issue();
    expect(published).toEqual([]);
    distributor.rotateKey();
    expect(published.map(({ topic }) => topic)).toEqual([keyRingTopic(SITE)]);
  });
});
