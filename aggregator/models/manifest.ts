import type { KeyObject } from "node:crypto";
import { ModelManifest } from "../../shared/contracts/manifest.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { type Parsed, parsePayload } from "../../shared/contracts/parse.ts";
import { MODEL_MAX_BYTES, validateModel } from "../../shared/ims/model-file.ts";
import { checkSignature, signMessage } from "../../shared/signing.ts";
import { isoTime } from "../../shared/time.ts";

export interface ReadManifest {
  counter: number;
  issued_at: string;
  previous_id: string | null;
  model: ModelFile;
}

/** A signed manifest; its counter orders it after every earlier one. */
export function makeManifest(
  model: ModelFile,
  detail: { counter: number; previous_id: string | null; key: KeyObject },
): ModelManifest {
  const { counter, previous_id, key } = detail;
  const manifest: ModelManifest = {
    v: 1,
    kind: "ims",
    counter,
    issued_at: isoTime(Date.now()),
    previous_id,
    model,
  };
  return signMessage(manifest, key);
}

/** Reads a manifest off the wire: size, schema, signature, then the model's own gates. */
export function readManifest(payload: Uint8Array, public_key: KeyObject): Parsed<ReadManifest> {
  const parsed = parsePayload(ModelManifest, payload, MODEL_MAX_BYTES);
  if (!parsed.ok) return parsed;
  const wrong = checkSignature(payload, public_key);
  if (wrong) return { ok: false, rejections: [wrong] };
  const model = validateModel(parsed.value.model);
  if (!model.ok) return model;
  const { counter, issued_at, previous_id } = parsed.value;
  return { ok: true, value: { counter, issued_at, previous_id, model: model.value } };
}
