import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openTrust } from "../../../../agent/models/trust.ts";
import { openSiteKeys } from "../../../../aggregator/models/distribution/keys.ts";
import { readPublicKey, verifyMessage } from "../../../../shared/signing.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

const OVERLAP_MS = 1_000;
const T0 = Date.UTC(2026, 0, 1);

function given() {
  const file = join(temporaryFolder(), "keys", "site.pem");
  const open = () => openSiteKeys(file, OVERLAP_MS);
  return { file, open, keys: open() };
}

describe("the keys of a site", () => {
  it("are one at first, of which no ring needs to tell", () => {
    const { keys, file } = given();
    expect(keys.ring()).toBeNull();
    expect(keys.keys()).toHaveLength(1);
    expect(keys.public_key_file()).toBe(`${file}.pub`);
    expect(
      verifyMessage(keys.sign({ hello: 1 } as { signature?: string }), readPublicKey(`${file}.pub`)),
    ).toBe(true);
  });

  it("after a rotation: the new one signs, the old one is still trusted, and the old one signed the ring", () => {
    const { keys } = given();
    const before = keys.current_id();
    const key_id = keys.rotate(7, T0);
    expect(keys.current_id()).toBe(key_id);
    expect(keys.ring()).toMatchObject({ counter: 7, key_id: before, keys: [{ key_id: before }, { key_id }] });
    expect(keys.trusted(before)).not.toBeNull();
    const signed = keys.sign({} as { signature?: string });
    expect(verifyMessage(signed, readPublicKey(keys.public_key_file()))).toBe(true);
    expect(statSync(keys.public_key_file().replace(/\.pub$/, "")).mode & 0o777).toBe(0o600);
  });

  it("are the same after a restart", () => {
    const { keys, open } = given();
    const key_id = keys.rotate(7, T0);
    const again = open();
    expect(again.current_id()).toBe(key_id);
    expect(again.ring()).toEqual(keys.ring());
  });

  it("that were replaced are dropped when agents have had their time", () => {
    const { keys } = given();
    const key_id = keys.rotate(7, T0);
    expect(keys.retire(() => 8, T0 + OVERLAP_MS - 1)).toBe(false);
    expect(keys.retire(() => 8, T0 + OVERLAP_MS)).toBe(true);
    expect(keys.keys()).toMatchObject([{ key_id, current: true }]);
    expect(keys.ring()).toMatchObject({ counter: 8, key_id, keys: [{ key_id }] });
  });

  it("lead an agent that was away for two rotations and a retirement to the present one", () => {
    const { keys, file } = given();
    const pinned = readPublicKey(`${file}.pub`);
    keys.rotate(7, T0);
    keys.retire(() => 8, T0 + OVERLAP_MS);
    const key_id = keys.rotate(9, T0 + 2 * OVERLAP_MS);
    const trust = openTrust({ file: join(temporaryFolder(), "ring.json"), pinned, onProblem: () => {} });
    expect(trust.offer(Buffer.from(JSON.stringify(keys.ring())))).toEqual({ ok: true, value: true });
    expect(trust.keys().has(key_id)).toBe(true);
  });

  it("are not more than a ring holds", () => {
    const { keys } = given();
    for (let i = 1; i < 8; i++) keys.rotate(i, T0);
    expect(() => keys.rotate(8, T0)).toThrow(/SKADI_CONFLICT|keys/);
  });
});
