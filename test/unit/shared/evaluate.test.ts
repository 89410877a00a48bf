import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  count,
  emptyConfusion,
  intervalBuilder,
  joined,
  matchEvents,
  ratesOf,
  rocCurve,
} from "../../../shared/ims/evaluate.ts";

describe("sample by sample", () => {
  it("counts and rates as the textbook does", () => {
    const confusion = emptyConfusion();
    const cases = [
      [true, true, 6],
      [true, false, 2],
      [false, true, 3],
      [false, false, 89],
    ] as const;
    for (const [anomalous, alarm, times] of cases)
      for (let i = 0; i < times; i++) count(confusion, anomalous, alarm);
    expect(ratesOf(confusion)).toEqual({
      precision: 6 / 9,
      recall: 0.75,
      f1: 12 / 17,
      false_alarm_rate: 3 / 92,
      miss_rate: 0.25,
    });
  });

  it("has no rate where there is nothing to count", () => {
    expect(ratesOf(emptyConfusion())).toEqual({
      precision: null,
      recall: null,
      f1: null,
      false_alarm_rate: null,
      miss_rate: null,
    });
  });

  it("recall and miss rate sum to 1; all rates are shares", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean())), (samples) => {
        const confusion = emptyConfusion();
        for (const [anomalous, alarm] of samples) count(confusion, anomalous, alarm);
        const rates = ratesOf(confusion);
        for (const rate of Object.values(rates)) if (rate !== null) expect(rate >= 0 && rate <= 1).toBe(true);
        if (rates.recall !== null) expect(rates.recall + rates.miss_rate!).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe("event by event", () => {
  const spans = (...pairs: [number, number][]) => pairs.map(([start_ms, end_ms]) => ({ start_ms, end_ms }));

  it("collects flags into intervals and joins those that flicker", () => {
    const builder = intervalBuilder();
    for (const [i, flag] of [0, 1, 1, 0, 1, 0, 0, 0, 1].entries()) builder.at(i, flag === 1);
    expect(builder.end()).toEqual(spans([1, 2], [4, 4], [8, 8]));
    expect(joined(builder.end(), 2)).toEqual(spans([1, 4], [8, 8]));
  });

  it("an alarm counts for an event that it began in, with its delay; else it is false, but not in the aftermath", () => {
    const { events, false_alarms } = matchEvents(
      spans([100, 200], [400, 500], [700, 800]),
      spans([130, 260], [210, 220], [390, 450], [600, 610]),
      50,
    );
    expect(events.map((e) => e.delay_ms)).toEqual([30, null, null]);
    expect(false_alarms).toEqual(spans([390, 450], [600, 610]));
  });
});

describe("ROC", () => {
  it("its area is the share of pairs in the right order, ties half", () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(sample, { minLength: 2, maxLength: 60 }), (samples) => {
        const positives = samples.filter(([, anomalous]) => anomalous);
        const negatives = samples.filter(([, anomalous]) => !anomalous);
        fc.pre(positives.length > 0 && negatives.length > 0);
        let right = 0;
        for (const [p] of positives) for (const [n] of negatives) right += p > n ? 1 : p === n ? 0.5 : 0;
        const scores = Float64Array.from(samples, ([score]) => score);
        const { area, points } = rocCurve(
          scores,
          Uint8Array.from(samples, ([, anomalous]) => (anomalous ? 1 : 0)),
        );
        expect(area).toBeCloseTo(right / (positives.length * negatives.length), 10);
        expect(points.at(-1)).toEqual({ false_alarm_rate: 1, recall: 1 });
      }),
    );
  });
});
