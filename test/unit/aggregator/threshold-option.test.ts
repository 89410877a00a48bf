import { describe, expect, it } from "vitest";
import { describeThreshold, thresholdOption } from "../../../aggregator/models/threshold-option.ts";

describe("the --threshold option", () => {
  it.each([
    ["percentile:0.95,0.98", { method: "percentile", fast: 0.95, persist: 0.98 }, "p95 of D"],
    ["per_cluster:0.9,0.99", { method: "per_cluster", fast: 0.9, persist: 0.99 }, "p90 of D"],
    ["tail:0.01,1e-4", { method: "tail", fast_rate: 0.01, persist_rate: 1e-4 }, "0.01 false alarms per row"],
    ["margin:1,1.5", { method: "margin", fast: 1, persist: 1.5 }, "1 × the largest D"],
  ])("reads %s and says what it means", (text, rule, words) => {
    expect(thresholdOption(text)).toEqual(rule);
    expect(describeThreshold(thresholdOption(text))[0]).toContain(words);
  });

  it.each([
    "",
    "p95",
    "percentile",
    "percentile:0.95",
    "percentile:0.98,0.95",
    "percentile:95,98",
    "percentile:,0.9",
    "percentile:0.9,0.95,0.99",
    "tail:1e-4,0.01",
    "margin:0,1",
    "median:0.5,0.6",
  ])("refuses %j", (text) => {
    expect(() => thresholdOption(text)).toThrow(/expected percentile/);
  });
});
