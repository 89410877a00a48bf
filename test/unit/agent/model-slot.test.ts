import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openModelSlot } from "../../../agent/model-slot.ts";
import type { ModelManifest } from "../../../shared/contracts/messages.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { sealModel } from "../../../shared/ims/model-file.ts";
import { signMessage } from "../../../shared/signing.ts";
import { smallModel } from "../../support/models.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const keys = generateKeyPairSync("ed25519");
const strangers = generateKeyPairSync("ed25519");
const first = smallModel({ seed: 1, created_ms: Date.UTC(2026, 0, 1) });
const second = smallModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2) });

function manifest(model: unknown, counter: number, key = keys.privateKey): Buffer {
  const message: ModelManifest = {
    v: 1,
    kind: "ims",
    counter,
    issued_at: "2026-01-01T00:00:00Z",
    previous_id: null,
    model,
  };
  return Buffer.from(JSON.stringify(signMessage(message, key)));
}

function openSlot(options: { cache_file?: string; public_key?: typeof keys.publicKey | null } = {}) {
  const cache_file = options.cache_file ?? join(temporaryFolder(), "manifest.json");
  const problems: string[] = [];
  const public_key = options.public_key === undefined ? keys.publicKey : options.public_key;
  const slot = openModelSlot({
    cache_file,
    public_key,
    onProblem: (rejections) => problems.push(...rejections.map((r) => r.code)),
  });
  return { slot, cache_file, problems };
}

describe("an offered model", () => {
  it("replaces the one in use when it passes every gate", () => {
    const { slot } = openSlot();
    expect(slot.scorer).toBeNull();
    expect(slot.offer(manifest(first, 1))).toEqual({ outcome: "swapped", model_id: first.id });
    expect(slot.offer(manifest(second, 2))).toEqual({ outcome: "swapped", model_id: second.id });
    expect(slot.scorer?.model.id).toBe(second.id);
  });

  it("that is delivered again changes nothing", () => {
    const { slot } = openSlot();
    slot.offer(manifest(first, 1));
    expect(slot.offer(manifest(first, 1)).outcome).toBe("same");
  });

  it("is there again after a restart without network", () => {
    const { slot, cache_file } = openSlot();
    slot.offer(manifest(first, 7));
    const again = openSlot({ cache_file });
    expect(again.slot.scorer?.model.id).toBe(first.id);
    expect(again.slot.offer(manifest(second, 6)).outcome).toBe("refused");
  });

  const tampered: ModelFile = { ...second, tau_fast: second.tau_fast * 0.9 };
  const { sha256: _, ...unsealed } = second;
  const disagreeing = sealModel({
    ...unsealed,
    scaler: { ...second.scaler, mean: second.scaler.mean.map((m) => m + 1) },
  });
  const foreign = sealModel({ ...unsealed, features: [...second.features].reverse() });
  const swapped = sealModel({ ...unsealed, tau_fast: second.tau_persist, tau_persist: second.tau_fast });
  it.each([
    ["that was changed after it was sealed", manifest(tampered, 2), "SKADI_MODEL_HASH"],
    ["that does not reproduce its golden samples", manifest(disagreeing, 2), "SKADI_MODEL_GOLDEN"],
    ["for other features", manifest(foreign, 2), "SKADI_MODEL_FEATURES"],
    ["with its thresholds swapped", manifest(swapped, 2), "SKADI_MODEL_SCHEMA"],
    ["signed by a stranger", manifest(second, 2, strangers.privateKey), "SKADI_BAD_SIGNATURE"],
    ["older than the one in use", manifest(second, 1), "SKADI_STALE_MESSAGE"],
    ["cut short", manifest(second, 2).subarray(0, 2_000), "SKADI_MALFORMED_JSON"],
    ["of 5 MB", Buffer.alloc(5 * 1024 * 1024, " "), "SKADI_PAYLOAD_TOO_LARGE"],
    ["of a future version", Buffer.from('{"v":2}'), "SKADI_UNSUPPORTED_VERSION"],
  ])("%s is refused with its own reason, and the old one stays", (_what, payload, code) => {
    const { slot, cache_file } = openSlot();
    slot.offer(manifest(first, 1));
    const cached = readFileSync(cache_file, "utf8");
    const offer = slot.offer(payload);
    expect(offer.outcome === "refused" && offer.rejections[0]?.code).toBe(code);
    expect(slot.scorer?.model.id).toBe(first.id);
    expect(readFileSync(cache_file, "utf8")).toBe(cached);
  });

  it("is checked by its hash alone where the agent has no key", () => {
    const { slot } = openSlot({ public_key: null });
    expect(slot.offer(manifest(second, 2, strangers.privateKey)).outcome).toBe("swapped");
    expect(slot.offer(manifest(tampered, 3)).outcome).toBe("refused");
  });
});

describe("a cache that cannot be written", () => {
  it("is reported, and the model is used all the same", () => {
    const blocked = join(temporaryFolder(), "file");
    writeFileSync(blocked, "no folder");
    const { slot, problems } = openSlot({ cache_file: join(blocked, "manifest.json") });
    expect(slot.offer(manifest(first, 1)).outcome).toBe("swapped");
    expect(slot.scorer?.model.id).toBe(first.id);
    expect(problems).toEqual(["SKADI_DRIVER"]);
  });
});

describe("a damaged cache", () => {
  it("is reported and does not keep the agent from starting", () => {
    const { cache_file } = openSlot();
    writeFileSync(cache_file, "{ half a manif");
    const { slot, problems } = openSlot({ cache_file });
    expect(slot.scorer).toBeNull();
    expect(problems).toEqual(["SKADI_MALFORMED_JSON"]);
    slot.offer(manifest(first, 1));
    expect(existsSync(cache_file)).toBe(true);
    expect(openSlot({ cache_file }).slot.scorer?.model.id).toBe(first.id);
  });
});
