import { join } from "node:path";
import { onTestFinished } from "vitest";
import { modelFiles } from "../../../../agent/models/cache.ts";
import { type ModelAnswer, openModelSlot } from "../../../../agent/models/slot.ts";
import { openTrust } from "../../../../agent/models/trust.ts";
import { AgentConfig } from "../../../../shared/contracts/agent-config.ts";
import { FEATURES } from "../../../../shared/ims/features.ts";
import { virtualClock } from "../../../../shared/time.ts";
import { eventually } from "../../../support/eventually.ts";
import { nominalRows } from "../../../support/models.ts";
import { type KeyPair, keyPair } from "../../../support/signed-manifests.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

export const RACK = "R-C-07";
export const key = keyPair();

export interface SlotOptions {
  cache_dir?: string;
  pinned?: KeyPair | null;
  model?: object;
  now_ms?: number;
}

/** A slot with its files, its clock, and everything that it says. */
export function openSlot(options: SlotOptions = {}) {
  const cache_dir = options.cache_dir ?? temporaryFolder();
  const { pinned = key } = options;
  const { model } = AgentConfig.parse({ rack_id: RACK, model: { cache_dir, ...options.model } });
  const files = modelFiles({ rack_id: RACK, model });
  const clock = virtualClock(options.now_ms ?? Date.now());
  const answers: ModelAnswer[] = [];
  const problems: string[] = [];
  const swaps: string[] = [];
  const state = { news: 0, keys: [] as string[] };
  const listeners = new Map<string, (n: number, part: Uint8Array) => void>();
  const onProblem = (rejections: { code: string }[]) => problems.push(...rejections.map(({ code }) => code));
  const trust = openTrust({ file: files.keys, pinned: pinned?.publicKey ?? null, onProblem });
  const slot = openModelSlot({
    rack_id: RACK,
    files,
    config: model,
    score_s: 5,
    trust,
    clock,
    listen(sha256, onPart) {
      listeners.set(sha256, onPart);
      return () => {
        if (listeners.get(sha256) === onPart) listeners.delete(sha256);
      };
    },
    onAnswer: (answer) => answers.push(answer),
    onSwap: ({ id }) => swaps.push(id),
    onNews: () => state.news++,
    onKeys: (keys) => {
      state.keys = keys;
    },
    onProblem,
  });
  slot.start();
  // Before its folder goes.
  onTestFinished(() => slot.stop());
  const observe = (rows: Float64Array, start_ms = 0) => {
    const F = FEATURES.length;
    for (let i = 0; i * F < rows.length; i++) {
      const row = rows.slice(i * F, (i + 1) * F);
      slot.observe(start_ms + i * 5_000, row, row);
    }
  };
  return {
    slot,
    clock,
    cache_dir,
    files,
    answers,
    problems,
    swaps,
    state,
    listeners,
    observe,
    /** An hour of a rack that does what it should. */
    observeNominal: () => observe(nominalRows(720, 99)),
    /** Offers a manifest and waits for what becomes of it. */
    async offer(payload: Uint8Array): Promise<ModelAnswer> {
      const before = answers.length;
      slot.offer(payload);
      await eventually("an answer", () => answers.length > before);
      return answers.at(-1)!;
    },
    reopen: (again: SlotOptions = {}) => openSlot({ ...options, cache_dir, ...again }),
    file: (name: string) => join(cache_dir, name),
  };
}
