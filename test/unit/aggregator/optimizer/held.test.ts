import { describe, expect, it } from "vitest";
import type { Rack } from "../../../../aggregator/fleet.ts";
import { heldBecause } from "../../../../aggregator/optimizer/held.ts";

const NOW = Date.UTC(2026, 0, 15);
type Parts = { status?: object | null; sample?: object | null; score?: object; mms?: object; age_s?: number };

function rack({ age_s = 5, ...parts }: Parts = {}): Rack {
  const at_ms = NOW - 1_000 * age_s;
  return {
    ...{ status: { state: "online" }, sample: {}, score: {}, mms: { state: "transient" } },
    ...{ ts_ms: at_ms, received_ms: at_ms, ...parts },
  } as Rack;
}
const CLOSED_LOOP = true;
const ADVISORY = false;

describe("what keeps the optimizer from a rack", () => {
  it.each([
    ["nothing, where all is well", rack(), null, null],
    ["data older than a minute", rack({ age_s: 61 }), "stale", "stale"],
    ["no data at all", rack({ sample: null }), "stale", "stale"],
    ["an agent that is gone, where something would be driven", rack({ status: null }), "offline", null],
    ["a guardrail that would refuse, in closed loop", rack({ score: { guarded: true } }), "guarded", null],
    ["lasting deviation", rack({ mms: { state: "persistent" } }), "persistent", "persistent"],
    [
      "the guardrail before the deviation",
      rack({ score: { guarded: true }, mms: { state: "persistent" } }),
      "guarded",
      "persistent",
    ],
  ])("%s", (_what, held, closed_loop, advisory) => {
    expect(heldBecause(held, CLOSED_LOOP, NOW)).toBe(closed_loop);
    expect(heldBecause(held, ADVISORY, NOW)).toBe(advisory);
  });
});
