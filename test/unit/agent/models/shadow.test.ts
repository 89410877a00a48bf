import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lastHour, shadowReport, shadowVerdict } from "../../../../agent/models/shadow.ts";
import { prepareDistance } from "../../../../shared/ims/distance.ts";
import { createScorer } from "../../../../shared/ims/score.ts";
import { nominalRows, smallModel } from "../../../support/models.ts";

describe("the rack's last hour", () => {
  it("holds the newest samples, oldest first, and none that is older than an hour", () => {
    const steps = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 5, 60), (gaps_s, score_s) => {
        const hour = lastHour(1, score_s);
        let at_s = 0;
        const times = gaps_s.map((gap_s) => {
          at_s += gap_s;
          return at_s;
        });
        for (const time_s of times) hour.add(time_s * 1000, Float64Array.of(time_s));
        const rows = [...hour.rows()];
        const young = times.filter((time_s) => at_s - time_s <= 3_600);
        expect(rows).toEqual(young.slice(-rows.length));
        expect(rows.length).toBe(Math.min(young.length, Math.ceil(3_600 / score_s)));
      }),
    );
  });

  it("is empty at first", async () => {
    expect(lastHour(10, 5).rows()).toHaveLength(0);
    expect(await shadowReport(new Float64Array(0), null, createScorer(smallModel()))).toEqual({
      samples: 0,
      alarm_share_before: null,
      alarm_share_after: null,
      mean_ratio_before: null,
      mean_ratio_after: null,
    });
  });
});

describe("a shadow report", () => {
  const model = smallModel();

  it("counts what is at or above tau_fast, and leaves out what cannot be scored", async () => {
    const rows = nominalRows(100, 5);
    rows.fill(Number.NaN, 0, 10);
    for (let i = 1; i < 11; i++) rows[i * 10] = 60;
    const report = await shadowReport(rows, null, createScorer(model));
    expect(report.samples).toBe(99);
    expect(report.alarm_share_after).toBeGreaterThanOrEqual(10 / 99);
    expect(report.alarm_share_after).toBeLessThan(20 / 99);
  });

  it("says the same of a model whose distance was prepared apart", async () => {
    const covariant = smallModel({ kind: "mahalanobis" });
    const rows = nominalRows(500, 5);
    const prepared = createScorer(covariant, prepareDistance(covariant));
    const report = await shadowReport(rows, createScorer(covariant), prepared);
    expect(report.mean_ratio_after).toBe(report.mean_ratio_before);
    expect(report.alarm_share_after).toBe(report.alarm_share_before);
  });
});

describe("the verdict on a shadow report", () => {
  const limits = { samples_min: 120, alarm_share_max: 0.5, present_share_max: 0.1 };
  const report = (samples: number, before: number | null, after: number) => ({
    samples,
    alarm_share_before: before,
    alarm_share_after: after,
    mean_ratio_before: before,
    mean_ratio_after: after,
  });
  it.each([
    ["many alarms where there were few", report(720, 0.02, 0.9), "SKADI_MODEL_SHADOW"],
    ["twice the alarms, which is for the rollout to judge", report(720, 0.05, 0.1), undefined],
    ["many alarms where there were many", report(720, 0.4, 0.9), undefined],
    ["too few samples", report(119, 0.02, 0.9), undefined],
    ["no present model", report(720, null, 0.9), undefined],
    ["exactly the limit", report(720, 0.02, 0.5), undefined],
  ])("with %s", (_what, given, code) => {
    expect(shadowVerdict(given, limits)?.code).toBe(code);
  });
});
