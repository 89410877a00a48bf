import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AcceptedManifest,
  digestOf,
  judgeManifest,
  releaseFor,
} from "../../../../agent/models/manifest-gate.ts";
import { ModelManifest } from "../../../../shared/contracts/manifest.ts";
import { signMessage } from "../../../../shared/signing.ts";
import { smallModel } from "../../../support/models.ts";
import { keyPair, manifestOf, releaseOf } from "../../../support/signed-manifests.ts";

const key = keyPair();
const stranger = keyPair();
const model = smallModel();
const NOW = Date.parse("2026-01-01T12:00:00Z");
const expires_at = "2026-01-02T12:00:00Z";
const keys = new Map([[key.id, key.publicKey]]);
const manifest = (counter: number, changes: Partial<ModelManifest> = {}) =>
  manifestOf(model, counter, key, { expires_at, ...changes });
const acceptedFrom = (payload: Buffer): AcceptedManifest => {
  const { counter, expires_at } = JSON.parse(payload.toString());
  return { counter, expires_at, digest: digestOf(payload) };
};
const codeOf = (payload: Uint8Array, changes: Partial<Parameters<typeof judgeManifest>[0]> = {}) => {
  const judged = judgeManifest({ payload, keys, accepted: null, now_ms: NOW, ...changes });
  return judged.ok ? "ok" : judged.rejections[0]?.code;
};

describe("a manifest", () => {
  it("passes when a trusted key signed it and it is newer than all before", () => {
    expect(codeOf(manifest(1))).toBe("ok");
    expect(codeOf(manifest(8), { accepted: acceptedFrom(manifest(7)) })).toBe("ok");
  });

  const from_later = { ...JSON.parse(manifest(1).toString()), new_field: 1, signature: undefined };
  it("may hold what this agent does not know, as long as that is signed too", () => {
    const signed = signMessage(from_later, key.privateKey);
    expect(codeOf(Buffer.from(JSON.stringify(signed)))).toBe("ok");
    expect(codeOf(Buffer.from(JSON.stringify({ ...signed, new_field: 2 })))).toBe("SKADI_BAD_SIGNATURE");
  });

  it.each([
    ["of a stranger", manifestOf(model, 1, stranger, { expires_at }), "SKADI_UNKNOWN_KEY"],
    [
      "of a stranger who names our key",
      manifestOf(model, 1, { ...stranger, id: key.id }, { expires_at }),
      "SKADI_BAD_SIGNATURE",
    ],
    ["without a signature", Buffer.from(JSON.stringify(from_later)), "SKADI_BAD_SIGNATURE"],
    ["whose time is over", manifest(1, { expires_at: "2026-01-01T11:00:00Z" }), "SKADI_MANIFEST_EXPIRED"],
    ["that is no manifest", Buffer.from("{}"), "SKADI_INVALID_FIELD"],
    ["cut short", manifest(1).subarray(0, 2_000), "SKADI_MALFORMED_JSON"],
    ["of a future version", Buffer.from('{"v":2}'), "SKADI_UNSUPPORTED_VERSION"],
    ["of 100 MB", Buffer.alloc(100_000_000, " "), "SKADI_PAYLOAD_TOO_LARGE"],
  ])("%s is refused with its own reason", (_what, payload, code) => {
    expect(codeOf(payload)).toBe(code);
  });

  it("passes on its content alone where no key is configured", () => {
    expect(codeOf(manifestOf(model, 1, stranger, { expires_at }), { keys: new Map() })).toBe("ok");
  });

  it("is not taken for expired by a clock that is a few minutes ahead", () => {
    expect(codeOf(manifest(1, { expires_at: "2026-01-01T11:56:00Z" }))).toBe("ok");
  });

  it("that was accepted in its time passes again later, as the broker repeats what it retains", () => {
    const old = manifest(5, { expires_at: "2026-01-01T11:00:00Z" });
    expect(codeOf(old, { accepted: acceptedFrom(old) })).toBe("ok");
  });

  it("cannot take the number of another", () => {
    const accepted = acceptedFrom(manifest(5));
    expect(codeOf(manifest(5, { previous_id: "other" }), { accepted })).toBe("SKADI_STALE_MESSAGE");
  });

  it("is followed only forwards and in time, whatever the order of delivery", () => {
    const offered = fc.record({
      counter: fc.integer({ min: 1, max: 6 }),
      ttl_h: fc.integer({ min: -5, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(offered, { maxLength: 12 }), (sequence) => {
        let accepted: AcceptedManifest | null = null;
        for (const { counter, ttl_h } of sequence) {
          const payload = manifest(counter, { expires_at: new Date(NOW + ttl_h * 3_600_000).toISOString() });
          if (codeOf(payload, { accepted }) !== "ok") continue;
          const again = digestOf(payload) === accepted?.digest;
          expect(again || counter > (accepted?.counter ?? 0)).toBe(true);
          expect(ttl_h).toBeGreaterThanOrEqual(0);
          accepted = acceptedFrom(payload);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("what a rack should run", () => {
  const canary = smallModel({ seed: 2 });
  const read = (payload: Buffer) => ModelManifest.parse(JSON.parse(payload.toString()));
  const mixed = read(
    manifest(1, {
      assignments: [{ release: releaseOf(canary), reason: "canary", racks: ["R-A-01", "R-C-07"] }],
    }),
  );
  it("is its assignment, else what the site runs", () => {
    expect(releaseFor(mixed, "R-C-07").sha256).toBe(canary.sha256);
    expect(releaseFor(mixed, "R-C-08").sha256).toBe(model.sha256);
  });
});
