import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_TABLE, reject, SkadiError } from "../../../shared/errors.ts";

describe("a rejection", () => {
  it("says in one line what was wrong, what was there and what was expected", () => {
    const rejection = reject("SKADI_INVALID_FIELD", { field: "inlet_c", value: "warm", expected: "number" });
    expect(rejection.message).toBe(
      'a field is missing, of the wrong type or out of range; field inlet_c; got "warm"; expected number',
    );
  });

  it("shortens a huge value", () => {
    expect(JSON.stringify(reject("SKADI_INVALID_FIELD", { value: "x".repeat(1e6) })).length).toBeLessThan(
      400,
    );
  });

  it("never repeats a secret, by itself or inside what was wrong", () => {
    const device = {
      url: "mqtt://skadi:s3cret@bms",
      password: "s3cret",
      auth: { bearer: "s3cret" },
      port: 1,
    };
    for (const value of [device, [device], device.url]) {
      expect(JSON.stringify(reject("SKADI_BAD_CONFIG", { value }))).not.toContain("s3cret");
    }
    expect(reject("SKADI_BAD_CONFIG", { value: { tokens_ps: "many" } }).value).toEqual({ tokens_ps: "many" });
  });

  it("thrown, carries its status, and the messages of all its rejections", () => {
    const error = new SkadiError([
      reject("SKADI_NOT_FOUND", { field: "a" }),
      reject("SKADI_NOT_FOUND", { field: "b" }),
    ]);
    expect(error.status).toBe(404);
    expect(error.message.split("\n")).toHaveLength(2);
  });
});

describe("the documentation of error codes", () => {
  it("lists exactly the codes that there are, with their status and meaning", () => {
    const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
    const listed = [...page.matchAll(/^\| `(\w+)` +\| (\d+) +\| (.+?) +\|$/gm)].map(
      ([, code, status, meaning]) => [code, { status: Number(status), meaning }],
    );
    expect(Object.fromEntries(listed)).toEqual(ERROR_TABLE);
  });
});
