import type { ModelFile } from "../../shared/contracts/model.ts";
import type { Parsed } from "../../shared/contracts/parse.ts";
import { type Prepared, prepareDistance } from "../../shared/ims/distance.ts";
import { validateModelBytes } from "../../shared/ims/model-file.ts";

/** A sound model, and what makes a scorer of it without delay. */
export interface CheckedModel {
  model: ModelFile;
  prepared: Prepared;
}

/** All gates of a model file. */
export function checkBytes(bytes: Uint8Array): Parsed<CheckedModel> {
  const checked = validateModelBytes(bytes);
  if (!checked.ok) return checked;
  return { ok: true, value: { model: checked.value, prepared: prepareDistance(checked.value) } };
}
