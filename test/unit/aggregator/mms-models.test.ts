import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logRatio, scoreModels, withDeparture } from "../../../aggregator/mms/likelihood.ts";
import { learn, NOTHING_LEARNT, refinementOf, UNREFINED } from "../../../aggregator/mms/refinement.ts";
import { DYNAMICS_UNKNOWN, trackDynamics } from "../../../aggregator/mms/score-dynamics.ts";
import { seededRandom } from "../../../shared/random.ts";

const nominal = { count: 10_000, mean: 1.1, std: 0.35, log_mean: 0, log_std: 0.3 };
const anomalous = { count: 500, mean: 2, std: 0.5, log_mean: 0.6, log_std: 0.2 };
const steady = { slow_share: 0, effective_share: 1 };

describe("the score models", () => {
  it("are those of the model file, with nominal operation at the upper end of what moves slowly", () => {
    const plain = scoreModels({ nominal, anomalous }, steady, UNREFINED);
    expect(plain).toEqual({ nominal_log_mean: 0, anomalous_log_mean: 0.6, log_std: 0.3, effective_share: 1 });
    const slow = scoreModels({ nominal, anomalous }, { slow_share: 0.04, effective_share: 1 }, UNREFINED);
    expect(slow.nominal_log_mean).toBeCloseTo(3 * 0.3 * 0.2, 12);
    expect(slow.log_std).toBeCloseTo(0.3 * Math.sqrt(0.96), 12);
  });

  it("assume anomalies two deviations up where training saw too few", () => {
    for (const thin of [null, { ...anomalous, count: 20 }]) {
      expect(scoreModels({ nominal, anomalous: thin }, steady, UNREFINED).anomalous_log_mean).toBeCloseTo(
        0.6,
        12,
      );
    }
  });

  it("stay a deviation apart, so that a decision comes about", () => {
    const close = { ...anomalous, log_mean: 0.05 };
    const models = scoreModels({ nominal, anomalous: close }, steady, UNREFINED);
    expect(models.anomalous_log_mean - models.nominal_log_mean).toBeCloseTo(0.3, 12);
  });

  it("more D is never less evidence", () => {
    const models = scoreModels({ nominal, anomalous }, steady, UNREFINED);
    const d = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(d, d, (a, b) => {
        expect(
          Math.sign(logRatio(models, a) - logRatio(models, b)) * Math.sign(a - b),
        ).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("a departure speaks for an anomaly, whatever D says", () => {
    expect(withDeparture(-3, "relations")).toBeGreaterThan(0);
    expect(withDeparture(2, "change")).toBeGreaterThan(2);
    expect(withDeparture(-3, undefined)).toBe(-3);
  });
});

describe("learning from judged incidents", () => {
  const small = { over_nominal: 1, over_anomalous: -1.5 };

  it("draws the anomalous model nearer by small confirmed ones, the nominal one up by rejected ones", () => {
    let confirmed = NOTHING_LEARNT;
    let rejected = NOTHING_LEARNT;
    for (let n = 0; n < 5; n++) {
      confirmed = learn(confirmed, "confirmed", small);
      rejected = learn(rejected, "rejected", small);
    }
    expect(refinementOf(confirmed).anomalous_shift).toBeLessThan(-0.4);
    expect(refinementOf(confirmed).nominal_shift).toBe(0);
    expect(refinementOf(rejected).nominal_shift).toBeCloseTo(0.5, 12);
    expect(refinementOf(rejected).spread_factor).toBeGreaterThan(1);
  });

  it("is bounded, whatever people say and however often", () => {
    const excess = fc.record({
      over_nominal: fc.double({ noNaN: true }),
      over_anomalous: fc.double({ noNaN: true }),
    });
    const judged = fc.tuple(fc.constantFrom("confirmed" as const, "rejected" as const), excess);
    fc.assert(
      fc.property(fc.array(judged, { maxLength: 100 }), (list) => {
        const refinement = refinementOf(list.reduce((state, [v, e]) => learn(state, v, e), NOTHING_LEARNT));
        expect(Math.abs(refinement.anomalous_shift)).toBeLessThanOrEqual(0.5);
        expect(refinement.nominal_shift).toBeGreaterThanOrEqual(0);
        expect(refinement.nominal_shift).toBeLessThanOrEqual(0.5);
        expect(refinement.spread_factor).toBeLessThanOrEqual(1.2);
      }),
    );
  });

  it("one judgement moves little", () => {
    const once = refinementOf(learn(NOTHING_LEARNT, "rejected", { over_nominal: 50, over_anomalous: 50 }));
    expect(once.nominal_shift).toBeCloseTo(2 / 6, 12);
  });
});

describe("how D moves in time", () => {
  const play = (slow_std: number, phi: number, scores: number) => {
    const tracker = trackDynamics(0.3);
    const random = seededRandom(1);
    for (let rack = 0; rack < 20; rack++) {
      const level = slow_std * random.normal();
      let noise = random.normal();
      for (let n = 0; n < scores; n++) {
        tracker.add(`R-A-${rack}`, 0.3 + level + noise);
        noise = phi * noise + Math.sqrt(1 - phi * phi) * random.normal();
      }
    }
    return tracker;
  };

  it("is unknown at first, and then taken cautiously", () => {
    expect(trackDynamics(0).dynamics()).toEqual(DYNAMICS_UNKNOWN);
  });

  it("finds white scores independent", () => {
    const { slow_share, effective_share } = play(0, 0, 5_000).dynamics();
    expect(slow_share).toBeLessThan(0.02);
    expect(effective_share).toBeGreaterThan(0.95);
  });

  it("finds the share that stays, and the memory of the rest", () => {
    const slow = play(0.5, 0, 5_000).dynamics();
    expect(slow.slow_share).toBeGreaterThan(0.1);
    expect(slow.effective_share).toBeGreaterThan(0.9);
    const correlated = play(0, 0.5, 5_000).dynamics();
    expect(correlated.effective_share).toBeCloseTo(1 / 3, 1);
  });

  it("goes on from what was kept", () => {
    const tracker = play(0.5, 0.3, 5_000);
    expect(trackDynamics(0.3, tracker.state()).dynamics()).toEqual(tracker.dynamics());
  });
});
