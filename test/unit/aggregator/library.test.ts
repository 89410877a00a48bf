import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelLibrary, modelToRun } from "../../../aggregator/models/library.ts";
import { smallModel } from "../../support/models.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const DAY_MS = 86_400_000;
const T0 = Date.UTC(2026, 0, 1);
const older = smallModel({ seed: 1, created_ms: T0 });
const newer = smallModel({ seed: 2, created_ms: T0 + DAY_MS });

describe("the model to run", () => {
  it("is the newest", () => {
    expect(modelToRun([older, newer], null)).toBe(newer);
    expect(modelToRun([], null)).toBeNull();
  });

  it("is the one that was chosen after the newest was made: a rollback outlives a restart", () => {
    const choice = { sha256: older.sha256, chosen_ms: T0 + 2 * DAY_MS };
    expect(modelToRun([older, newer], choice)).toBe(older);
  });

  it("is a model that was made after the choice", () => {
    const choice = { sha256: older.sha256, chosen_ms: T0 + DAY_MS / 2 };
    expect(modelToRun([older, newer], choice)).toBe(newer);
  });
});

describe("the library", () => {
  it("lists valid models newest first and says what is wrong with the others", () => {
    const folder = temporaryFolder();
    const library = modelLibrary(folder);
    library.save(older);
    library.save(newer);
    writeFileSync(join(folder, "broken.json"), "{");
    writeFileSync(join(folder, "tampered.json"), JSON.stringify({ ...older, tau_fast: older.tau_fast / 2 }));
    expect(library.models()).toEqual([newer, older]);
    const wrong = library
      .list()
      .flatMap(({ parsed }) => (parsed.ok ? [] : parsed.rejections.map((r) => r.code)));
    expect(wrong).toEqual(["SKADI_MALFORMED_JSON", "SKADI_MODEL_HASH"]);
  });

  it("saves a model once, and two models of one name side by side", () => {
    const library = modelLibrary(temporaryFolder());
    const namesake = smallModel({ seed: 3, created_ms: T0 });
    expect(library.save(older)).toBe(library.save(older));
    expect(library.save(namesake)).not.toBe(library.save(older));
    expect(library.models()).toHaveLength(2);
  });
});
