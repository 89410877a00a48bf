import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeChallenger } from "../../../../aggregator/retraining/verdict.ts";
import type { HeldBackFigures } from "../../../../shared/contracts/drift.ts";

const RULES = { rack_days_min: 1, detection_loss_max: 0.05 };

const figures = (changes: Partial<HeldBackFigures> = {}): HeldBackFigures => {
  const { false_alarms = 2, rack_days = 10 } = changes;
  return {
    ...{ false_alarms, rack_days, false_alarms_per_rack_day: false_alarms / rack_days },
    ...{ fast_share: 0.05, persist_share: 0.02, anomalies_found: 0.95, incidents: { found: 3, of: 4 } },
    ...changes,
  };
};

describe("a challenger", () => {
  it("with fewer false alarms and the same eyes is offered, with the figures as the reason", () => {
    const verdict = judgeChallenger(figures({ false_alarms: 0 }), figures({ false_alarms: 30 }), RULES);
    expect(verdict.offered).toBe(true);
    expect(verdict.reason).toMatch(/fewer false alarms: 0\.000 .*the active model 3\.000/);
  });

  it("with more false alarms is not, whatever else it does better", () => {
    const verdict = judgeChallenger(
      figures({ false_alarms: 3, fast_share: 0, anomalies_found: 1 }),
      figures(),
      RULES,
    );
    expect(verdict).toMatchObject({ offered: false, reason: expect.stringContaining("more false alarms") });
  });

  it("with one or two alarms fewer is not: equal models differ by as much", () => {
    expect(judgeChallenger(figures({ false_alarms: 0 }), figures(), RULES).offered).toBe(false);
    expect(judgeChallenger(figures({ false_alarms: 0 }), figures({ false_alarms: 5 }), RULES).offered).toBe(
      true,
    );
  });

  it("that is blind to what the active model sees is not: neither to confirmed incidents nor to physics", () => {
    const quiet = { false_alarms: 0, fast_share: 0, persist_share: 0 };
    const misses = judgeChallenger(figures({ ...quiet, incidents: { found: 2, of: 4 } }), figures(), RULES);
    expect(misses).toMatchObject({ offered: false, reason: expect.stringContaining("2 of 4 racks") });
    const blind = judgeChallenger(figures({ ...quiet, anomalies_found: 0.85 }), figures(), RULES);
    expect(blind).toMatchObject({ offered: false, reason: expect.stringContaining("85.0 %") });
  });

  it("that equals the active model is not: what changes nothing is not worth a rollout", () => {
    const verdict = judgeChallenger(figures(), figures(), RULES);
    expect(verdict).toMatchObject({ offered: false, reason: expect.stringContaining("no better") });
  });

  it("with as many alarms but clearly fewer conspicuous rows is offered", () => {
    const champion = figures({ fast_share: 0.3 });
    expect(judgeChallenger(figures({ fast_share: 0.05 }), champion, RULES).offered).toBe(true);
    expect(judgeChallenger(figures({ fast_share: 0.25 }), champion, RULES).offered).toBe(false);
  });

  it("is not judged on too little held-back operation", () => {
    const verdict = judgeChallenger(figures({ rack_days: 0.5, false_alarms: 0 }), figures(), RULES);
    expect(verdict).toMatchObject({ offered: false, reason: expect.stringContaining("0.50 rack-days") });
  });

  it("never beats a model that beats it", () => {
    const arbitrary = fc
      .record({
        false_alarms: fc.integer({ min: 0, max: 50 }),
        fast_share: fc.double({ min: 0, max: 1, noNaN: true }),
        anomalies_found: fc.double({ min: 0, max: 1, noNaN: true }),
        found: fc.integer({ min: 0, max: 4 }),
      })
      .map(({ found, ...rest }) => figures({ ...rest, incidents: { found, of: 4 } }));
    fc.assert(
      fc.property(arbitrary, arbitrary, (a, b) => {
        const both = judgeChallenger(a, b, RULES).offered && judgeChallenger(b, a, RULES).offered;
        expect(both).toBe(false);
      }),
    );
  });
});
