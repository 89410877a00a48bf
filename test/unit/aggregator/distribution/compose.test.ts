import { describe, expect, it } from "vitest";
import { CHUNK_BYTES, compose, targetsOf } from "../../../../aggregator/models/distribution/compose.ts";
import {
  NO_MODELS,
  type RolloutState,
  type SiteModels,
} from "../../../../aggregator/models/rollout/state.ts";
import type { ModelFile } from "../../../../shared/contracts/model.ts";
import type { Pin } from "../../../../shared/contracts/registry.ts";
import { smallModel } from "../../../support/models.ts";
import { NEW, OLD } from "../../../support/rollout-site.ts";

const RACKS = ["R-A-01", "R-A-02", "R-B-01", "R-B-02"];
const PIN: Omit<Pin, "scope"> = {
  model_id: "x",
  sha256: "9".repeat(64),
  by: "operator",
  ts: "2026-01-01T00:00:00Z",
};
const pin = (scope: string, sha256 = PIN.sha256): Pin => ({ ...PIN, scope, sha256 });
const wave = (racks: string[], state: "waiting" | "soaking") => ({
  ...{ racks, state, offered_ms: 0, soaking_ms: 0, looks: 0 },
});
const site = (changes: Partial<RolloutState> = {}): SiteModels => ({
  ...NO_MODELS,
  release: OLD,
  rollout: {
    ...{
      id: "r",
      model: NEW,
      base: OLD,
      gated: true,
      state: "running",
      by: "test",
      reason: "",
      started_ms: 0,
    },
    ...{ ended_ms: null, answers: {}, baseline: {}, returning: [], gates: [], story: [] },
    waves: [wave(["R-A-01"], "soaking"), wave(["R-B-01"], "soaking"), wave(["R-B-02"], "waiting")],
    ...changes,
  },
});

describe("who runs what", () => {
  it("is the rollout's model for canary and waves that it has reached, the site's for all others", () => {
    expect([...targetsOf(RACKS, [], site())]).toEqual([
      ["R-A-01", { sha256: NEW.sha256, reason: "canary" }],
      ["R-B-01", { sha256: NEW.sha256, reason: "wave" }],
    ]);
  });

  it("is nobody but the site's model once the rollout is over", () => {
    for (const state of ["completed", "rolled_back", "superseded"] as const)
      expect(targetsOf(RACKS, [], site({ state })).size).toBe(0);
  });

  it("is a rack's own pin before its row's, and that before a rollout", () => {
    const targets = targetsOf(RACKS, [pin("A"), pin("R-A-01", "8".repeat(64))], site());
    expect(targets.get("R-A-01")).toEqual({ sha256: "8".repeat(64), reason: "pin" });
    expect(targets.get("R-A-02")).toEqual({ sha256: PIN.sha256, reason: "row" });
  });
});

describe("what a manifest says", () => {
  const small = smallModel({ seed: 1 });
  const other = smallModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2) });
  const files = new Map<string, ModelFile>([small, other].map((model) => [model.sha256, model]));
  const file = (sha256: string) => files.get(sha256) ?? null;
  const bytes = (model: ModelFile) => Buffer.byteLength(JSON.stringify(model));
  const assigned = new Map([["R-A-01", { sha256: other.sha256, reason: "canary" as const }]]);

  it("holds small models inline", () => {
    const composed = compose(small.sha256, assigned, file, 65_536)!;
    expect(composed.release).toEqual({
      ...{ model_id: small.id, sha256: small.sha256, bytes: bytes(small), chunks: 0 },
    });
    expect(composed.assignments).toMatchObject([{ reason: "canary", racks: ["R-A-01"] }]);
    expect(composed.models).toEqual([small, other]);
    expect(composed.chunks.size).toBe(0);
  });

  it("cuts what no longer fits beside the others into parts that make the model file again", () => {
    const composed = compose(small.sha256, assigned, file, bytes(small) + 10)!;
    expect(composed.models).toEqual([small]);
    expect(composed.assignments[0]!.release.chunks).toBe(1);
    const parts = composed.chunks.get(other.sha256)!;
    expect(JSON.parse(Buffer.concat(parts).toString())).toEqual(other);
  });

  it("makes several parts of a large one", () => {
    const large = { ...other, training: { ...other.training, data: "x".repeat(3 * CHUNK_BYTES) } };
    const composed = compose(large.sha256, new Map(), () => large, 65_536)!;
    expect(composed.release.chunks).toBe(4);
    expect(composed.chunks.get(large.sha256)!.every((part) => part.length <= CHUNK_BYTES)).toBe(true);
  });

  it("leaves out who would run a model whose file is gone, and says nothing if that is the site's own", () => {
    files.delete(other.sha256);
    expect(compose(small.sha256, assigned, file, 65_536)!.assignments).toEqual([]);
    expect(compose(other.sha256, assigned, file, 65_536)).toBeNull();
  });
});
