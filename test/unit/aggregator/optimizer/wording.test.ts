import { describe, expect, it } from "vitest";
import { roundSentences } from "../../../../aggregator/optimizer/wording.ts";

const PREDICTION = { racks: 72, one_step: { inlet_c: 0.1, outlet_c: 0.2, pdu_kw: 0.05, latency_p95_ms: 2 } };

function round(changes: Partial<Parameters<typeof roundSentences>[0]> = {}) {
  return roundSentences({
    skipped: null,
    policy: "predictive",
    fallback: null,
    rejected: {},
    explanations: [],
    actions: [],
    prediction: { ...PREDICTION, ten_minutes: null },
    ...changes,
  });
}

describe("a round of the optimizer in words", () => {
  it("says what decided, and that there was nothing to change", () => {
    expect(round()).toEqual(["The whole site was planned with learnt models: nothing to change."]);
  });

  it("says why the described policy decided although the predictive one is set", () => {
    const fallback = "model_learning: 3 of 72 racks are predicted well enough";
    expect(round({ policy: "described", fallback })[0]).toBe(
      "The learnt models are still learning (3 of 72 racks are predicted well enough), so that candidates were judged one by one: nothing to change.",
    );
    expect(round({ policy: "described" })[0]).toBe(
      "Each rack's candidates were judged one by one: nothing to change.",
    );
  });

  it("names racks that were left alone, but no refused candidates", () => {
    const rejected = { rack_guarded: 2, rack_stale: 1, no_saving: 300 };
    expect(round({ rejected })[1]).toBe(
      "Racks left alone: 2 protected by the guardrail, 1 without fresh figures.",
    );
  });

  it("ends with what is out of reach, and with how well it predicts", () => {
    const ten_minutes = { ...PREDICTION.one_step, inlet_c: 0.312, tokens_ps: 100, count: 40 };
    const lines = round({
      explanations: ["infeasible within one step: the inlet of 1 racks stays above its planned limit"],
      prediction: { ...PREDICTION, ten_minutes },
    });
    expect(lines.slice(1)).toEqual([
      "Infeasible within one step: the inlet of 1 racks stays above its planned limit.",
      "Ten minutes ahead it errs by 0.31 °C of inlet, 0.05 kW and 2.0 ms of p95 (root mean square).",
    ]);
  });

  it.each(["kill_switch", "no_model", "no_fresh_data", "switchback"] as const)(
    "is one sentence where nothing is planned: %s",
    (skipped) => {
      expect(round({ skipped, rejected: { rack_stale: 72 } })).toEqual([expect.stringMatching(/\.$/)]);
    },
  );
});
