import { readFileSync } from "node:fs";
import * as z from "zod";
import { canonicalJson, sha256Hex } from "../canonical.ts";
import { ABOVE_TAU_FAST, ModelFile } from "../contracts/model.ts";
import { type Parsed, parsePayload, parseValue } from "../contracts/parse.ts";
import { type ErrorCode, type Rejection, reject } from "../errors.ts";
import { writeWholeFile } from "../whole-file.ts";
import { compileDistance } from "./distance.ts";
import { FEATURES } from "./features.ts";
import { createScorer } from "./score.ts";

/** A model of 4,096 clusters fits well below this; anything larger is not a model. */
export const MODEL_MAX_BYTES = 4 * 1024 * 1024;

/** Relative difference that golden samples may show: far above rounding, far below any real disagreement. */
const GOLDEN_TOLERANCE = 1e-9;

const WIRE_CODES: readonly ErrorCode[] = [
  "SKADI_PAYLOAD_TOO_LARGE",
  "SKADI_MALFORMED_JSON",
  "SKADI_NOT_FINITE",
];

/** Completes a model with the SHA-256 over everything else in it. */
export function sealModel(model: Omit<ModelFile, "sha256">): ModelFile {
  return { ...model, sha256: contentHash(model) };
}

function contentHash(model: Omit<ModelFile, "sha256"> & { sha256?: string }): string {
  const { sha256: _, ...content } = model;
  return sha256Hex(canonicalJson(content));
}

/**
 * The gates that a model passes before it may score: schema, features, hash, covariances, golden samples.
 * The first gate that fails gives the reasons.
 *
 * @param features those that the caller computes: by default the live system's ten, none of them derived and no
 *   adaptive baseline, since samples of many racks arrive late or twice; null accepts all, for whoever scores a series
 */
export function validateModel(
  value: unknown,
  features: readonly string[] | null = FEATURES,
): Parsed<ModelFile> {
  const parsed = parseValue(ModelFile, value);
  if (!parsed.ok) return { ok: false, rejections: parsed.rejections.map(asModelRejection) };
  const model = parsed.value;
  const wrong =
    wrongFeatures(model, features) ??
    wrongHash(model, value) ??
    wrongCovariances(model) ??
    wrongGolden(model);
  if (wrong) return { ok: false, rejections: [wrong] };
  // As it was written: without a field that this build does not know, the hash would be wrong for the next reader.
  return { ok: true, value: value as ModelFile };
}

/** A number that is none keeps its own code, as do thresholds that were swapped. */
function asModelRejection(rejection: Rejection): Rejection {
  if (rejection.code === "SKADI_UNSUPPORTED_VERSION" || WIRE_CODES.includes(rejection.code)) return rejection;
  const { field, value, expected } = rejection;
  if (expected === ABOVE_TAU_FAST) return reject("SKADI_MODEL_THRESHOLDS", { field, value, expected });
  return { ...rejection, code: "SKADI_MODEL_SCHEMA" };
}

function wrongFeatures(model: ModelFile, features: readonly string[] | null): Rejection | undefined {
  if (!features) return undefined;
  const stateful = [
    ...(model.derived ?? []).map(({ name }) => `${name} (derived)`),
    ...(model.baseline_weight ? ["an adaptive baseline"] : []),
  ];
  if (canonicalJson(model.features) === canonicalJson(features) && stateful.length === 0) return undefined;
  const value = [...model.features, ...stateful].join(",");
  return reject("SKADI_MODEL_FEATURES", { field: "features", value, expected: features.join(",") });
}

function wrongCovariances(model: ModelFile): Rejection | undefined {
  if (compileDistance(model, [...model.features.keys()])) return undefined;
  return reject("SKADI_MODEL_SCHEMA", { field: "covariances", expected: "positive definite matrices" });
}

function wrongHash(model: ModelFile, original: unknown): Rejection | undefined {
  // The hash covers the file as written, unknown fields included: nothing can be slipped in.
  const expected = contentHash(original as ModelFile);
  if (model.sha256 === expected) return undefined;
  return reject("SKADI_MODEL_HASH", { field: "sha256", value: model.sha256, expected });
}

function wrongGolden(model: ModelFile): Rejection | undefined {
  const scorer = createScorer(model);
  for (const [i, golden] of model.golden.entries()) {
    const { d, cluster } = scorer.score(Float64Array.from(golden.x));
    if (cluster === golden.cluster && Math.abs(d - golden.d) <= GOLDEN_TOLERANCE * Math.max(1, golden.d))
      continue;
    const detail = { field: `golden.${i}`, value: `D ${golden.d}, cluster ${golden.cluster}` };
    return reject("SKADI_MODEL_GOLDEN", { ...detail, expected: `D ${d}, cluster ${cluster}` });
  }
  return undefined;
}

/** Reads and validates a model file; an unreadable file is a rejection too, never an exception. */
export function readModelFile(
  path: string,
  features: readonly string[] | null = FEATURES,
): Parsed<ModelFile> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return { ok: false, rejections: [unreadable(path, error)] };
  }
  return validateModelBytes(bytes, features);
}

/** Validates a model file's bytes: size and JSON first, then the gates of `validateModel`. */
export function validateModelBytes(
  bytes: Uint8Array,
  features: readonly string[] | null = FEATURES,
): Parsed<ModelFile> {
  const json = parsePayload(z.unknown(), bytes, MODEL_MAX_BYTES);
  if (!json.ok) return { ok: false, rejections: json.rejections.map(asModelRejection) };
  return validateModel(json.value, features);
}

function unreadable(path: string, error: unknown): Rejection {
  const reason = error instanceof Error ? error.message : String(error);
  return reject("SKADI_MODEL_SCHEMA", { field: path, expected: `a readable file (${reason})` });
}

export function writeModelFile(path: string, model: ModelFile): void {
  writeWholeFile(path, `${JSON.stringify(model, null, 1)}\n`);
}
