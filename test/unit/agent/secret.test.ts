import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { revealSecret } from "../../../agent/devices/secret.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("a secret", () => {
  it("is the text itself, the first line of a file, or a variable", () => {
    const file = join(temporaryFolder(), "password");
    writeFileSync(file, "from file \r\nsecond line\n");
    process.env.SKADI_TEST_SECRET = "from variable";
    onTestFinished(() => void delete process.env.SKADI_TEST_SECRET);
    expect(revealSecret("as it is")).toBe("as it is");
    expect(revealSecret({ file })).toBe("from file ");
    expect(revealSecret({ env: "SKADI_TEST_SECRET" })).toBe("from variable");
  });

  it("that is missing or empty is a mistake in the configuration, which names where", () => {
    const file = join(temporaryFolder(), "password");
    const bad = (secret: Parameters<typeof revealSecret>[0], where: string) => {
      expect(() => revealSecret(secret)).toThrow(expect.objectContaining({ code: "SKADI_BAD_CONFIG" }));
      expect(() => revealSecret(secret)).toThrow(where);
    };
    bad({ file }, file);
    writeFileSync(file, "\n");
    bad({ file }, file);
    bad({ env: "SKADI_TEST_NO_SUCH" }, "SKADI_TEST_NO_SUCH");
  });
});
