import type { KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AgentConfig } from "../shared/contracts/agent-config.ts";
import { ModelManifest } from "../shared/contracts/manifest.ts";
import type { ModelFile } from "../shared/contracts/model.ts";
import { type Parsed, parsePayload } from "../shared/contracts/parse.ts";
import { type Rejection, reject } from "../shared/errors.ts";
import { MODEL_MAX_BYTES, readModelFile, validateModel } from "../shared/ims/model-file.ts";
import { createScorer, type Scorer } from "../shared/ims/score.ts";
import { checkSignature } from "../shared/signing.ts";

type Offer =
  | { outcome: "swapped" | "same"; model_id: string }
  | { outcome: "refused"; model_id: string | undefined; rejections: Rejection[] };

/** The model in use. A better one replaces it between two ticks; a bad one never does. */
export interface ModelSlot {
  readonly scorer: Scorer | null;
  /** Judges a retained manifest as it came from the wire. */
  offer(payload: Uint8Array): Offer;
}

export interface ModelSlotOptions {
  /** The last accepted manifest is kept here, so that the agent starts with it when there is no network. */
  cache_file: string;
  /** Used when there is no cached manifest. */
  model_file?: string | undefined;
  /** Without a key the hash alone is checked. */
  public_key: KeyObject | null;
  onProblem(rejections: Rejection[], where: string): void;
}

/** Where the last accepted model of one rack's agent is kept. */
export function manifestFile({ rack_id, model }: Pick<AgentConfig, "rack_id" | "model">): string {
  return join(model.cache_dir, `${rack_id}.manifest.json`);
}

export function openModelSlot(options: ModelSlotOptions): ModelSlot {
  let scorer: Scorer | null = null;
  let counter = 0;

  const unsigned = (payload: Uint8Array) =>
    options.public_key ? checkSignature(payload, options.public_key) : undefined;
  const judge = (payload: Uint8Array): Parsed<{ manifest: ModelManifest; model: ModelFile }> => {
    const parsed = parsePayload(ModelManifest, payload, MODEL_MAX_BYTES);
    if (!parsed.ok) return parsed;
    const wrong = unsigned(payload) ?? outdated(parsed.value, counter, scorer);
    if (wrong) return { ok: false, rejections: [wrong] };
    const model = validateModel(parsed.value.model);
    return model.ok ? { ok: true, value: { manifest: parsed.value, model: model.value } } : model;
  };
  const use = (manifest: ModelManifest, model: ModelFile) => {
    counter = manifest.counter;
    scorer = createScorer(model);
  };

  if (existsSync(options.cache_file)) {
    const cached = judge(readFileSync(options.cache_file));
    if (cached.ok) use(cached.value.manifest, cached.value.model);
    else options.onProblem(cached.rejections, options.cache_file);
  }
  if (!scorer && options.model_file) {
    const model = readModelFile(options.model_file);
    if (model.ok) scorer = createScorer(model.value);
    else options.onProblem(model.rejections, options.model_file);
  }
  return {
    get scorer() {
      return scorer;
    },
    offer(payload) {
      const judged = judge(payload);
      if (!judged.ok) {
        return { outcome: "refused", model_id: offeredId(payload), rejections: judged.rejections };
      }
      const { manifest, model } = judged.value;
      const same = scorer?.model.sha256 === model.sha256;
      use(manifest, model);
      try {
        writeWhole(options.cache_file, payload);
      } catch (error) {
        // A full or read-only disk costs the next start its model, not this run.
        const expected = `a writable file (${error instanceof Error ? error.message : String(error)})`;
        options.onProblem(
          [reject("SKADI_DRIVER", { field: "model.cache_dir", expected })],
          options.cache_file,
        );
      }
      return { outcome: same ? "same" : "swapped", model_id: model.id };
    },
  };
}

/** An older manifest could bring back a model that was withdrawn. The same one again is a mere re-delivery. */
function outdated(manifest: ModelManifest, counter: number, scorer: Scorer | null): Rejection | undefined {
  if (manifest.counter > counter) return undefined;
  const id = (manifest.model as { sha256?: unknown } | null)?.sha256;
  if (manifest.counter === counter && id === scorer?.model.sha256) return undefined;
  return reject("SKADI_STALE_MESSAGE", {
    field: "counter",
    value: manifest.counter,
    expected: `above ${counter}`,
  });
}

/** The id that an offered model claims, so that the refusal can name it. */
function offeredId(payload: Uint8Array): string | undefined {
  const parsed = parsePayload(ModelManifest, payload, MODEL_MAX_BYTES);
  if (!parsed.ok) return undefined;
  const id = (parsed.value.model as { id?: unknown } | null)?.id;
  return typeof id === "string" ? id.slice(0, 64) : undefined;
}

function writeWhole(path: string, payload: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, payload);
  renameSync(temporary, path);
}
