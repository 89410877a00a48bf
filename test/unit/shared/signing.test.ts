import { createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyId } from "../../../shared/signing.ts";

describe("the id of a key", () => {
  it("is the start of what `openssl pkey -pubin -outform DER | sha256sum` prints", () => {
    const pem =
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA+TTF7cRw2sa6XiIo+T0uu/j6H2cZ9vJHmJIItXvsNS0=\n-----END PUBLIC KEY-----";
    expect(keyId(createPublicKey(pem))).toBe("a224575bb562e041");
  });
});
