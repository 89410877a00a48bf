import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openTrust } from "../../../../agent/models/trust.ts";
import { signMessage } from "../../../../shared/signing.ts";
import { type KeyPair, keyPair, keyRingOf } from "../../../support/signed-manifests.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

const [first, second, third, stranger] = [keyPair(), keyPair(), keyPair(), keyPair()];
const rings = {
  second: keyRingOf([first, second], 1, first),
  only_second: keyRingOf([second], 2, second),
  third: keyRingOf([second, third], 3, second),
};

function open(options: { file?: string; pinned?: KeyPair | null } = {}) {
  const { pinned = first } = options;
  const file = options.file ?? join(temporaryFolder(), "keys.json");
  const problems: string[] = [];
  const onProblem = (rejections: { code: string }[]) => problems.push(...rejections.map((r) => r.code));
  const trust = openTrust({ file, pinned: pinned?.publicKey ?? null, onProblem });
  // Before its folder goes.
  onTestFinished(() => trust.settled());
  const trusted = () =>
    [first, second, third, stranger].filter((key) => trust.keys().has(key.id)).map((key) => key.id);
  const codeOf = (payload: Buffer) => {
    const judged = trust.offer(payload);
    return judged.ok ? judged.value : judged.rejections[0]?.code;
  };
  return { trust, file, problems, trusted, codeOf };
}

describe("the keys that a rack trusts", () => {
  it("are the configured one at first, and pass from key to key", () => {
    const { trusted, codeOf } = open();
    expect(trusted()).toEqual([first.id]);
    expect(codeOf(rings.second)).toBe(true);
    expect(trusted()).toEqual([first.id, second.id]);
    expect(codeOf(rings.only_second)).toBe(true);
    expect(trusted()).toEqual([second.id]);
    expect(codeOf(rings.third)).toBe(true);
    expect(trusted()).toEqual([second.id, third.id]);
  });

  it("are the same after a restart", async () => {
    const { trust, file, codeOf } = open();
    codeOf(rings.second);
    codeOf(rings.only_second);
    await trust.settled();
    const again = open({ file });
    expect(again.trusted()).toEqual([second.id]);
    expect(again.codeOf(rings.only_second), "delivered again").toBe(false);
    expect(again.codeOf(rings.third)).toBe(true);
    expect(again.problems).toEqual([]);
  });

  it("are found by a rack that was away for several rotations", () => {
    const { trusted, codeOf } = open();
    expect(codeOf(rings.third), "without the way to it").toBe("SKADI_UNKNOWN_KEY");
    const with_the_way = keyRingOf([second, third], 3, second, [rings.second, rings.only_second]);
    expect(codeOf(with_the_way)).toBe(true);
    expect(trusted()).toEqual([second.id, third.id]);
  });

  const forged = { ...JSON.parse(rings.second.toString()), counter: 9 };
  const misnamed = keyRingOf([first, { ...stranger, id: second.id }], 9, first);
  const rsa_pem = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJ\n-----END PUBLIC KEY-----";
  const no_key = signMessage(
    {
      ...JSON.parse(keyRingOf([first], 9, first).toString()),
      keys: [{ key_id: "x", public_key_pem: rsa_pem }],
    },
    first.privateKey,
  );
  it.each([
    ["signed by a key that nobody here trusts", keyRingOf([stranger], 9, stranger), "SKADI_UNKNOWN_KEY"],
    [
      "that names a trusted key but is not signed by it",
      keyRingOf([first], 9, { ...stranger, id: first.id }),
      "SKADI_BAD_SIGNATURE",
    ],
    ["changed on its way", Buffer.from(JSON.stringify(forged)), "SKADI_BAD_SIGNATURE"],
    ["in which a key has another's name", misnamed, "SKADI_INVALID_FIELD"],
    ["with what is no key", Buffer.from(JSON.stringify(no_key)), "SKADI_INVALID_FIELD"],
    ["without keys", keyRingOf([], 9, first), "SKADI_INVALID_FIELD"],
    ["cut short", rings.second.subarray(0, 100), "SKADI_MALFORMED_JSON"],
    [
      "signed by a stranger, behind a true one",
      keyRingOf([stranger], 9, stranger, [rings.second]),
      "SKADI_UNKNOWN_KEY",
    ],
  ])("are not changed by a ring %s", (_what, payload, code) => {
    const { trusted, codeOf } = open();
    expect(codeOf(payload)).toBe(code);
    expect(trusted()).toEqual([first.id]);
  });

  it("are never those of an older ring again", () => {
    const { trusted, codeOf } = open();
    codeOf(rings.second);
    codeOf(rings.only_second);
    expect(codeOf(rings.second)).toBe("SKADI_STALE_MESSAGE");
    expect(trusted()).toEqual([second.id]);
  });

  it("never go back, in whatever order true and false rings come", () => {
    const genuine = Object.values(rings);
    const all = [...genuine, keyRingOf([stranger], 7, stranger), keyRingOf([stranger, first], 8, stranger)];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { maxLength: 12 }), (sequence) => {
        const { codeOf, trusted } = open();
        let counter = 0;
        for (const payload of sequence) {
          if (codeOf(payload) !== true) continue;
          const ring = JSON.parse(payload.toString());
          expect(ring.counter).toBeGreaterThan(counter);
          counter = ring.counter;
        }
        expect(trusted()).not.toContain(stranger.id);
      }),
      { numRuns: 50 },
    );
  });

  it("start anew from the configured key when somebody configures another", async () => {
    const { trust, file, codeOf } = open();
    codeOf(rings.second);
    await trust.settled();
    expect(open({ file, pinned: third }).trusted()).toEqual([third.id]);
  });

  it("are the configured one where the file is damaged, which is reported", () => {
    const file = join(temporaryFolder(), "keys.json");
    writeFileSync(file, '{"v":1,"pinned":');
    const { trusted, problems } = open({ file });
    expect(trusted()).toEqual([first.id]);
    expect(problems).toEqual(["SKADI_MALFORMED_JSON"]);
  });

  it("are none where none is configured, whatever a ring says", () => {
    const { trusted, codeOf } = open({ pinned: null });
    expect(codeOf(rings.second)).toBe("SKADI_UNKNOWN_KEY");
    expect(trusted()).toEqual([]);
  });
});
