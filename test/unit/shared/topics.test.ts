import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  keyRingTopic,
  modelChunkTopic,
  modelTopic,
  parseChunkTopic,
} from "../../../shared/contracts/topics.ts";

const sha256 = "a".repeat(64);

describe("the topic of a model's part", () => {
  it("tells whose part it is", () => {
    expect(parseChunkTopic("dc1", modelChunkTopic("dc1", sha256, 17))).toEqual({ sha256, n: 17 });
  });

  it.each([
    ["the manifest's", modelTopic("dc1")],
    ["the keys'", keyRingTopic("dc1")],
    ["another site's", modelChunkTopic("dc2", sha256, 0)],
    ["a filter", modelChunkTopic("dc1", sha256, "+")],
    ["a longer one", `${modelChunkTopic("dc1", sha256, 0)}/1`],
    ["a negative one", `${modelTopic("dc1")}/${sha256}/-1`],
  ])("is not %s", (_what, topic) => {
    expect(parseChunkTopic("dc1", topic)).toBeNull();
  });

  it("is read without an exception, whatever it says", () => {
    fc.assert(
      fc.property(fc.string(), (end) => {
        const part = parseChunkTopic("dc1", `${modelTopic("dc1")}/${end}`);
        if (part) expect(Number.isSafeInteger(part.n)).toBe(true);
      }),
    );
  });
});
