import { describe, expect, it } from "vitest";
import { parseValue } from "../../../shared/contracts/parse.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { isSecretName, withoutCredentials } from "../../../shared/secrecy.ts";
import { NOMINAL_READING } from "../../support/readings.ts";

describe("a secret", () => {
  it.each(["password", "smtp_password", "token", "api_token", "token_file", "private_key", "community"])(
    "is known by its name: %s",
    (name) => expect(isSecretName(name)).toBe(true),
  );

  it.each(["tokens_ps", "tokens_per_prompt", "public_key_file", "inlet_c"])("is not %s", (name) =>
    expect(isSecretName(name)).toBe(false),
  );

  it("before a URL's host is blanked as a whole, even where it holds an @", () => {
    expect(withoutCredentials("mqtt://me:p@ss@host:1883")).toBe("mqtt://(secret)@host:1883");
    expect(withoutCredentials("mqtt://host:1883")).toBe("mqtt://host:1883");
  });

  it("is not the rate of tokens: a wrong one is named with its value", () => {
    const sample = { ts: "2026-01-01T00:00:00Z", rack_id: "R-A-01", ...NOMINAL_READING, tokens_ps: -5 };
    const parsed = parseValue(TelemetrySample, sample);
    expect(parsed.ok ? [] : parsed.rejections).toMatchObject([{ field: "tokens_ps", value: -5 }]);
  });
});
