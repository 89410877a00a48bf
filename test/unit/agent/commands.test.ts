import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { commandGate } from "../../../agent/commands.ts";
import type { Command } from "../../../shared/contracts/messages.ts";
import { keyId, signMessage } from "../../../shared/signing.ts";

const keys = generateKeyPairSync("ed25519");
const strangers = generateKeyPairSync("ed25519");
const NOW = Date.parse("2026-01-01T12:00:00Z");

function command(changes: Partial<Command> = {}, key = keys.privateKey): Buffer {
  const message: Command = {
    v: 1,
    id: "c-1",
    rack_id: "R-A-01",
    counter: 1,
    issued_at: "2026-01-01T12:00:00Z",
    expires_at: "2026-01-01T12:01:00Z",
    body: { kind: "set_mode", mode: "closed_loop", kill_switch: false },
    ...changes,
  };
  return Buffer.from(JSON.stringify(signMessage(message, key)));
}

const trusted = (...all: KeyObject[]) => new Map(all.map((key) => [keyId(key), key]));
const openGate = (public_keys: KeyObject[] = [keys.publicKey]) =>
  commandGate({ rack_id: "R-A-01", keys: () => trusted(...public_keys), wall_ms: () => NOW });

const codeOf = (result: ReturnType<ReturnType<typeof commandGate>>) =>
  result.ok ? "ok" : result.rejections[0]?.code;

describe("a command", () => {
  it("passes when it is signed, addressed to this rack, fresh and new", () => {
    const accept = openGate();
    expect(codeOf(accept(command()))).toBe("ok");
    expect(codeOf(accept(command({ counter: 2 })))).toBe("ok");
  });

  const unsigned = Buffer.from(JSON.stringify({ ...JSON.parse(command().toString()), signature: undefined }));
  const altered = Buffer.from(command().toString().replace('"counter":1', '"counter":9'));
  it.each([
    ["without a signature", unsigned, "SKADI_BAD_SIGNATURE"],
    ["signed by a stranger", command({}, strangers.privateKey), "SKADI_BAD_SIGNATURE"],
    ["altered on the way", altered, "SKADI_BAD_SIGNATURE"],
    ["meant for another rack", command({ rack_id: "R-A-02" }), "SKADI_RACK_MISMATCH"],
    ["long expired", command({ expires_at: "2026-01-01T11:59:00Z" }), "SKADI_STALE_MESSAGE"],
    ["that is no JSON", Buffer.from("set mode"), "SKADI_MALFORMED_JSON"],
  ])("%s is refused", (_what, payload, code) => {
    expect(codeOf(openGate()(payload))).toBe(code);
  });

  it("may be signed by any of the site's keys, so that a new one can take over", () => {
    const accept = openGate([keys.publicKey, strangers.publicKey]);
    expect(codeOf(accept(command({ counter: 1 }, keys.privateKey)))).toBe("ok");
    expect(codeOf(accept(command({ counter: 2 }, strangers.privateKey)))).toBe("ok");
  });

  it("cannot be replayed", () => {
    const accept = openGate();
    const payload = command({ counter: 5 });
    accept(payload);
    expect(codeOf(accept(payload))).toBe("SKADI_STALE_MESSAGE");
    expect(codeOf(accept(command({ counter: 4 })))).toBe("SKADI_STALE_MESSAGE");
  });

  it("is never obeyed by an agent that has no key to check it with", () => {
    expect(codeOf(openGate([])(command()))).toBe("SKADI_BAD_SIGNATURE");
  });
});
