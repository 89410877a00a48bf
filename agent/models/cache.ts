import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { Timestamp } from "../../shared/contracts/envelope.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { type Parsed, parsePayload } from "../../shared/contracts/parse.ts";
import { MODEL_MAX_BYTES, validateModel } from "../../shared/ims/model-file.ts";
import { diskProblem, type OnProblem, readKept, writeWhole } from "./kept-file.ts";
import type { AcceptedManifest } from "./manifest-gate.ts";

/** Where one rack's agent keeps what it was given. */
export interface ModelFiles {
  /** The model in use, and the manifest that brought it. */
  model: string;
  /** The one before: there if the other is damaged, and for a way back without network. */
  previous: string;
  /** The newest manifest that was accepted, whether its model could be used or not. */
  accepted: string;
  keys: string;
  /** What agents kept when a manifest still had its one model inside. */
  single: string;
}

export function modelFiles(of: { rack_id: string; model: { cache_dir: string } }): ModelFiles {
  const file = (what: string) => join(of.model.cache_dir, `${of.rack_id}.${what}.json`);
  return {
    model: file("model"),
    previous: file("model.previous"),
    accepted: file("accepted"),
    keys: file("keys"),
    single: file("manifest"),
  };
}

const Accepted = z.object({ counter: z.int().positive(), digest: z.string(), expires_at: Timestamp });
const KeptManifest = z.object({ v: z.literal(1), manifest: Accepted });
const KeptModel = z.object({ v: z.literal(1), manifest: Accepted, model: z.unknown() });
const SingleModel = z.object({ v: z.literal(1), model: z.unknown() });

const FILE_MAX_BYTES = MODEL_MAX_BYTES + 64 * 1024;

/** The last known good models of one rack, and how far it has come in the sequence of manifests. */
export interface ModelCache {
  /** The newest whole model; null if there is none. */
  model: ModelFile | null;
  accepted: AcceptedManifest | null;
  /** The file of the model before the one in use, if it is the one that is asked for; not checked yet. */
  previous(sha256: string): Buffer<ArrayBuffer> | null;
  accept(manifest: AcceptedManifest): void;
  /**
   * Keeps a model as the one in use. Failing is reported, not thrown: it costs the next start its model, not this run.
   *
   * @param json the model file as it was delivered
   */
  keep(model: ModelFile, json: string, manifest: AcceptedManifest): Promise<void>;
  /** Resolves when everything so far is on the disk, or was reported. */
  settled(): Promise<void>;
}

/** What one rack's agent would start with. */
export function readModelCache(files: ModelFiles, onProblem: OnProblem) {
  const current = readKept(files.model, keptModel, onProblem);
  const previous = current ? null : readKept(files.previous, keptModel, onProblem);
  const kept = current ?? previous;
  return {
    /** Whether the first file is missing or damaged, but not the second. */
    fell_back: previous !== null,
    kept_sha256: kept?.model.sha256 ?? null,
    model: kept?.model ?? readKept(files.single, singleModel, onProblem),
    accepted: newest(readKept(files.accepted, keptManifest, onProblem), kept?.manifest ?? null),
  };
}

export function openModelCache(files: ModelFiles, onProblem: OnProblem): ModelCache {
  const { fell_back, kept_sha256, model, accepted } = readModelCache(files, onProblem);
  /** One after another, so that no two writers meet in a file. */
  let written: Promise<void> = Promise.resolve();
  const write = (path: string, work: () => Promise<void>) => {
    written = written.then(work).catch((error: unknown) => onProblem([diskProblem("writable", error)], path));
    return written;
  };
  /** What is in the first file. */
  let current_sha256 = kept_sha256;
  // A damaged one is made whole from the second, and never takes its place.
  if (fell_back) void write(files.model, () => writeWhole(files.model, readFileSync(files.previous, "utf8")));
  return {
    model,
    accepted,
    previous(sha256) {
      const model = readKept(files.previous, unchecked, onProblem);
      return model?.sha256 === sha256 ? Buffer.from(JSON.stringify(model)) : null;
    },
    accept(manifest) {
      const content = JSON.stringify({ v: 1, manifest });
      void write(files.accepted, () => writeWhole(files.accepted, content));
    },
    keep({ sha256 }, json, manifest) {
      const content = `{"v":1,"manifest":${JSON.stringify(manifest)},"model":${json}}`;
      return write(files.model, async () => {
        const replaces = current_sha256 !== null && current_sha256 !== sha256;
        await writeWhole(files.model, content, replaces ? files.previous : undefined);
        current_sha256 = sha256;
        // The first one has none before it to fall back on.
        if (!existsSync(files.previous)) await writeWhole(files.previous, content);
      });
    },
    settled: () => written,
  };
}

function keptModel(bytes: Uint8Array): Parsed<{ manifest: AcceptedManifest; model: ModelFile }> {
  const kept = parsePayload(KeptModel, bytes, FILE_MAX_BYTES);
  if (!kept.ok) return kept;
  const model = validateModel(kept.value.model);
  return model.ok ? { ok: true, value: { manifest: kept.value.manifest, model: model.value } } : model;
}

function unchecked(bytes: Uint8Array): Parsed<{ sha256?: unknown } | null> {
  const kept = parsePayload(KeptModel, bytes, FILE_MAX_BYTES);
  return kept.ok ? { ok: true, value: kept.value.model as { sha256?: unknown } | null } : kept;
}

function keptManifest(bytes: Uint8Array): Parsed<AcceptedManifest> {
  const kept = parsePayload(KeptManifest, bytes);
  return kept.ok ? { ok: true, value: kept.value.manifest } : kept;
}

function singleModel(bytes: Uint8Array): Parsed<ModelFile> {
  const kept = parsePayload(SingleModel, bytes, FILE_MAX_BYTES);
  return kept.ok ? validateModel(kept.value.model) : kept;
}

function newest(a: AcceptedManifest | null, b: AcceptedManifest | null): AcceptedManifest | null {
  if (!a || !b) return a ?? b;
  return a.counter >= b.counter ? a : b;
}
