import { describe, expect, it } from "vitest";
import { judge } from "../../../aggregator/optimizer/outcome.ts";

const before = { samples: 12, inlet_c: 22, latency_p95_ms: 180, pdu_kw: 8, tokens_ps: 8_000 };
const predicted = { inlet_c: 22, latency_p95_ms: 200 };
const later = (changes: object) => ({ ...before, ...changes });

describe("a change is judged by the rack before and after it", () => {
  it("measures the saving at the load of now", () => {
    const verdict = judge(before, later({ pdu_kw: 8.5, tokens_ps: 9_000 }), predicted);
    expect(verdict?.realized_saving_kw).toBeCloseTo(9 - 8.5, 9);
    expect(verdict?.worsened).toBeNull();
  });

  it.each([
    ["the inlet rises by more than a degree", { inlet_c: 23.2 }, /inlet/],
    ["p95 exceeds even the prediction", { latency_p95_ms: 215 }, /p95/],
    ["a token costs more", { pdu_kw: 8.3 }, /energy per token/],
  ])("is taken back when %s", (_what, changes, worsened) => {
    expect(judge(before, later(changes), predicted)?.worsened).toMatch(worsened);
  });

  it("stands when p95 grows as predicted, and within noise", () => {
    const changes = { latency_p95_ms: 205, inlet_c: 22.6, pdu_kw: 8.1 };
    expect(judge(before, later(changes), predicted)?.worsened).toBeNull();
  });

  it("is measured against what the rack's model says it would have drawn, where there is one", () => {
    const model = { unchanged_kw: () => 8.6, changed_kw: () => 8.3 };
    const verdict = judge(before, later({ pdu_kw: 8.3, tokens_ps: 8_000 }), predicted, model);
    expect(verdict?.realized_saving_kw).toBeCloseTo(0.3, 9);
    expect(verdict?.worsened).toBeNull();
  });

  it("stands when it was meant to cost energy, and costs no more than that", () => {
    const cooling = { unchanged_kw: () => 8, changed_kw: () => 8.5 };
    expect(judge(before, later({ pdu_kw: 8.5 }), predicted, cooling)?.worsened).toBeNull();
    expect(judge(before, later({ pdu_kw: 8.8 }), predicted, cooling)?.worsened).toMatch(/energy/);
  });

  it("is not judged on values that are missing", () => {
    expect(judge(before, later({ inlet_c: null }), predicted)).toBeNull();
    expect(judge({ ...before, pdu_kw: null }, before, predicted)).toBeNull();
  });
});
