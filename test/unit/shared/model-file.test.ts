import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readModelFile, validateModelBytes, writeModelFile } from "../../../shared/ims/model-file.ts";
import { smallModel } from "../../support/models.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const model = smallModel();

describe("a model file", () => {
  it("round-trips without a change", () => {
    const path = join(temporaryFolder(), "deep", "model.json");
    writeModelFile(path, model);
    expect(readModelFile(path)).toEqual({ ok: true, value: model });
  });

  it("is a few kilobytes", () => {
    expect(JSON.stringify(model).length).toBeLessThan(20_000);
  });

  it("that does not exist is a refusal with its path, not an exception", () => {
    const result = readModelFile("/nowhere/model.json");
    expect(!result.ok && result.rejections[0]).toMatchObject({
      code: "SKADI_MODEL_SCHEMA",
      field: "/nowhere/model.json",
    });
  });

  it("names every field that is wrong at once", () => {
    const path = join(temporaryFolder(), "model.json");
    writeFileSync(path, JSON.stringify({ ...model, tau_fast: "2", centers: [] }));
    const result = readModelFile(path);
    expect(!result.ok && result.rejections.map((r) => r.field).sort()).toEqual(["centers", "tau_fast"]);
  });

  it("with any one byte changed is refused or means the same", () => {
    const bytes = Buffer.from(JSON.stringify(model));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= flip;
        const result = validateModelBytes(damaged);
        if (result.ok) expect(result.value).toEqual(model);
        else expect(result.rejections.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it("made of arbitrary JSON never crashes the reader", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(validateModelBytes(Buffer.from(text)).ok).toBe(false);
      }),
    );
  });
});
