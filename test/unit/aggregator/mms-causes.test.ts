import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CAUSE_PARAMETERS } from "../../../aggregator/mms/cause-parameters.ts";
import {
  CAUSE_CLASSES,
  type CauseClass,
  CLASSES,
  classProbabilities,
  verdictOf,
} from "../../../aggregator/mms/causes.ts";
import { EVIDENCE, type Observed, SIGNS, trackEvidence } from "../../../aggregator/mms/evidence.ts";
import { causeFollower } from "../../../aggregator/mms/verdicts.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { smallModel } from "../../support/models.ts";

/** What a class shows on average. */
function typical(name: CauseClass): Observed {
  const { mean, sign_share } = CAUSE_PARAMETERS[name];
  return {
    values: Float64Array.from(mean, Math.sinh),
    signs: Float64Array.from(sign_share, (share) => (share > 0.5 ? 1 : 0)),
  };
}

const nothing = (): Observed => ({
  values: new Float64Array(EVIDENCE.length),
  signs: new Float64Array(SIGNS.length),
});

describe("naming a cause", () => {
  it.each(CAUSE_CLASSES)("what %s shows on average is called so", (name) => {
    const observed = typical(name);
    const { cause, sub_cause } = verdictOf(classProbabilities(observed), observed);
    expect({ cause, sub_cause }).toEqual(CLASSES[name]);
  });

  it("confidences sum to 1, whatever is observed and whatever is unknown", () => {
    const value = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(Number.NaN));
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: EVIDENCE.length, maxLength: EVIDENCE.length }),
        fc.array(share, { minLength: SIGNS.length, maxLength: SIGNS.length }),
        (values, signs) => {
          const observed = { values: Float64Array.from(values), signs: Float64Array.from(signs) };
          const { causes, confidence, cause } = verdictOf(classProbabilities(observed), observed);
          expect(causes.reduce((sum, c) => sum + c.confidence, 0)).toBeCloseTo(1, 9);
          expect(causes[0]).toEqual({ cause, confidence });
        },
      ),
    );
  });

  it("tells a failed fan by its speed and the hot outlet", () => {
    const observed = typical("fan_fault");
    const { evidence } = verdictOf(classProbabilities(observed), observed);
    expect(evidence.map(({ name }) => name)).toContain("fan_rpm_pct");
    expect(evidence[0]!.weight).toBeGreaterThan(0);
  });

  it("names no sensor without one that was named", () => {
    const observed = nothing();
    expect(verdictOf(classProbabilities(observed), observed).cause).not.toBe("sensor_fault");
  });

  it("the rack's way back does not change what it suffered from", () => {
    const follower = causeFollower();
    for (let n = 0; n < 100; n++) follower.next("R-A-01", typical("pump_fault"));
    let last = follower.next("R-A-01", nothing());
    for (let n = 0; n < 200; n++) last = follower.next("R-A-01", nothing());
    expect(last.cause).toBe("pump_fault");
  });
});

describe("the evidence", () => {
  const model = smallModel();
  const { mean, scale } = model.scaler;
  const places = Array.from({ length: 12 }, (_, i) => ({ row: i < 6 ? "A" : "B", position: (i % 6) + 1 }));
  const quiet = { departure: null, sensors: [], commanded: false };
  const at = (name: (typeof EVIDENCE)[number]) => EVIDENCE.indexOf(name);
  const window = (offsets: Partial<Record<(typeof FEATURES)[number], number>>) =>
    Float64Array.from(FEATURES, (feature, j) => mean[j]! + (offsets[feature] ?? 0) * scale[j]!);
  const watch = (
    of: (i: number) => Parameters<typeof window>[0],
    about: (i: number) => object = () => ({}),
  ) => {
    const tracker = trackEvidence(model, places);
    for (let n = 0; n < 100; n++) {
      for (const i of places.keys()) tracker.observe(i, window(of(i)), { ...quiet, ...about(i) });
    }
    tracker.compare();
    return tracker;
  };

  it("is nothing while every rack does the same, whatever the hour", () => {
    const { values } = watch(() => ({ inlet_c: 2, fan_rpm_pct: -1, tokens_ps: 2, gpu_power_kw: 2 })).of(3);
    for (const value of values) expect(value).toBeCloseTo(0, 9);
  });

  it("tells one hot rack from a hot row", () => {
    const one = watch((i) => (i === 2 ? { inlet_c: 5 } : {})).of(2).values;
    expect(one[at("inlet_c")]).toBeGreaterThan(4);
    expect(one[at("row_inlet_c")]).toBeCloseTo(0, 6);
    const row = watch((i) => (i < 5 ? { inlet_c: 5 } : {})).of(2).values;
    expect(row[at("row_inlet_c")]).toBeGreaterThan(4);
  });

  it("leaves out what a commanded fan or pump shows", () => {
    const { values } = watch(
      (i) => (i === 2 ? { pump_rpm_pct: 5, fan_rpm_pct: 5 } : {}),
      (i) => ({ commanded: i === 2 }),
    ).of(2);
    expect(values[at("pump_rpm_pct")]).toBeNaN();
    expect(values[at("fan_rpm_pct")]).toBeNaN();
    expect(values[at("inlet_c")]).toBeCloseTo(0, 6);
  });

  it("forgets a quantity that has been missing for two minutes", () => {
    const tracker = watch(() => ({}));
    for (let n = 0; n < 30; n++) {
      const x = window({});
      x[FEATURES.indexOf("inlet_c")] = Number.NaN;
      tracker.observe(0, x, quiet);
    }
    tracker.compare();
    expect(tracker.of(0).values[at("inlet_c")]).toBeNaN();
    expect(tracker.of(1).values[at("inlet_c")]).toBeCloseTo(0, 6);
  });

  it("holds what the rack's supervision said, as shares of the last minute", () => {
    const stuck = [{ field: "inlet_c", problem: "stuck" as const }];
    const { signs } = watch(
      () => ({}),
      (i) => (i === 1 ? { sensors: stuck, departure: "relations" } : {}),
    ).of(1);
    expect(signs[SIGNS.indexOf("stuck")]).toBeGreaterThan(0.9);
    expect(signs[SIGNS.indexOf("relations")]).toBeGreaterThan(0.9);
    expect(signs[SIGNS.indexOf("change")]).toBe(0);
  });
});
