import type { Release } from "../../shared/contracts/manifest.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import type { Parsed } from "../../shared/contracts/parse.ts";
import { type Rejection, reject } from "../../shared/errors.ts";
import { startHelper } from "../../shared/helper-thread.ts";
import { MODEL_MAX_BYTES } from "../../shared/ims/model-file.ts";
import { type CheckedModel, checkBytes } from "./check-bytes.ts";

/** Up to this, all gates take a few milliseconds; the largest models take a second, which a tick must not wait for. */
export const CHECKED_AT_ONCE_BYTES = 64 * 1024;

/** Ten times what the largest valid model needs; a thread that wants more is ended, and the agent goes on. */
const THREAD_MEMORY = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

/** The thread's program, which the bundler puts here: in the single binary there are no files to start it from. */
declare const SKADI_CHECK_WORKER: string | undefined;

/** All gates of a model file, and that it is the one that the manifest names. */
export async function checkModel(
  bytes: Uint8Array<ArrayBuffer>,
  release: Release,
): Promise<Parsed<CheckedModel>> {
  const checked = bytes.byteLength <= CHECKED_AT_ONCE_BYTES ? checkBytes(bytes) : await checkInThread(bytes);
  if (!checked.ok) return checked;
  const wrong = mismatch(checked.value.model, release);
  return wrong ? { ok: false, rejections: [wrong] } : checked;
}

async function checkInThread(bytes: Uint8Array<ArrayBuffer>): Promise<Parsed<CheckedModel>> {
  const program =
    typeof SKADI_CHECK_WORKER === "string"
      ? SKADI_CHECK_WORKER
      : new URL("./check-worker.ts", import.meta.url);
  const helper = startHelper<Parsed<CheckedModel>>(program, bytes, [], THREAD_MEMORY);
  helper.unref();
  try {
    return await helper.result();
  } catch (error) {
    const expected = `a model that can be checked (${error instanceof Error ? error.message : String(error)})`;
    return { ok: false, rejections: [reject("SKADI_INTERNAL", { field: "model", expected })] };
  } finally {
    await helper.stop();
  }
}

function mismatch({ id, sha256 }: ModelFile, release: Release): Rejection | undefined {
  if (sha256 !== release.sha256)
    return reject("SKADI_MODEL_MISMATCH", { field: "sha256", value: sha256, expected: release.sha256 });
  if (id !== release.model_id)
    return reject("SKADI_MODEL_MISMATCH", { field: "id", value: id, expected: release.model_id });
  return undefined;
}

/** A release that is too large to be a model is not even fetched. */
export function tooLarge({ bytes }: Release): Rejection | undefined {
  if (bytes <= MODEL_MAX_BYTES) return undefined;
  const expected = `≤ ${MODEL_MAX_BYTES} bytes`;
  return reject("SKADI_PAYLOAD_TOO_LARGE", { field: "release.bytes", value: bytes, expected });
}
