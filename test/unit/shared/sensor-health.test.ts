import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HEALTH_FIELDS, HealthDescription } from "../../../shared/contracts/health.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import {
  createHealthMonitor,
  type HealthVerdict,
  withoutSuspects,
} from "../../../shared/ims/sensor-health.ts";
import { trainHealth } from "../../../shared/ims/train-health.ts";
import { seededRandom } from "../../../shared/random.ts";
import { healthyRows, loadAt, rackWindow, smallHealth } from "../../support/health.ts";
import { LIMITS } from "../../support/models.ts";

const WINDOW_MS = 5_000;
const health = smallHealth();
const at = (field: (typeof FEATURES)[number]) => FEATURES.indexOf(field);

type Disturb = (x: Float64Array, window: number) => void;

/** 300 sound windows, then `windows` with the disturbance; the verdicts of the latter. */
function play(
  windows: number,
  disturb: Disturb,
  options: { description?: HealthDescription | null; intervened?: boolean } = {},
) {
  const { description = health, intervened = false } = options;
  const monitor = createHealthMonitor(description);
  const random = seededRandom("play");
  const verdicts: HealthVerdict[] = [];
  for (let i = 0; i < 300 + windows; i++) {
    const x = rackWindow(loadAt(i), random);
    if (i >= 300) disturb(x, i - 300);
    const verdict = monitor.check(i * WINDOW_MS, x, intervened);
    if (i >= 300) verdicts.push(verdict);
    else expect(verdict).toMatchObject({ suspects: [], alarms: [], departure: null });
  }
  return verdicts;
}

const named = (verdict: HealthVerdict | undefined) =>
  verdict?.alarms.map(({ field, problem }) => `${field} ${problem}`);
const firstAlarm = (verdicts: HealthVerdict[]) => verdicts.findIndex((verdict) => verdict.alarms.length > 0);

describe("sensor health", () => {
  it("says nothing of healthy sensors over a day", () => {
    const verdicts = play(17_280, () => {});
    expect(verdicts.filter((v) => v.alarms.length > 0 || v.departure).length).toBe(0);
    expect(verdicts.filter((v) => v.suspects.length > 0).length).toBeLessThan(3);
  });

  it("a stuck sensor is named within ten windows and excluded, whatever it is stuck at", () => {
    for (const field of HEALTH_FIELDS) {
      let held = Number.NaN;
      const verdicts = play(30, (x, window) => {
        if (window === 0) held = x[at(field)]!;
        x[at(field)] = held;
      });
      expect(firstAlarm(verdicts), field).toBeLessThan(10);
      expect(named(verdicts.at(-1))).toEqual([`${field} stuck`]);
      expect(verdicts.at(-1)?.suspects.map((s) => s.field)).toEqual([field]);
    }
  });

  it("a fan at its stop is not stuck", () => {
    const verdicts = play(30, (x) => {
      x[at("fan_rpm_pct")] = 100;
    });
    expect(verdicts.flatMap((v) => v.suspects.map((s) => s.problem))).not.toContain("stuck");
  });

  it("a spike is excluded in the very window that it spoils, with what should have been there", () => {
    const verdicts = play(20, (x, window) => {
      if (window === 5) x[at("inlet_c")]! += 8;
    });
    expect(verdicts.map((v) => v.suspects.length)).toEqual(
      verdicts.map((_, window) => (window === 5 ? 1 : 0)),
    );
    const [spike] = verdicts[5]!.suspects;
    expect(spike).toMatchObject({ field: "inlet_c", problem: "spike" });
    expect(Math.abs(spike!.expected - 22)).toBeLessThan(3);
    expect(firstAlarm(verdicts)).toBe(-1);
  });

  it("spikes that come again and again are an alarm", () => {
    const verdicts = play(60, (x, window) => {
      if (window % 6 === 0) x[at("pdu_kw")]! += 4;
    });
    expect(named(verdicts.at(-1))).toEqual(["pdu_kw spike"]);
  });

  it("a slow drift is named; one towards the heat is doubted later than one towards the cold", () => {
    const drift = (slope: number) =>
      play(240, (x, window) => {
        x[at("inlet_c")]! += slope * window;
        x[at("delta_t")]! -= slope * window;
      });
    const hot = drift(0.03);
    const cold = drift(-0.03);
    expect(named(hot.at(-1))).toEqual(["inlet_c drift"]);
    expect(named(cold.at(-1))).toEqual(["inlet_c drift"]);
    expect(firstAlarm(hot)).toBeGreaterThan(firstAlarm(cold) + 20);
    expect(hot.every((v) => v.departure === null)).toBe(true);
  });

  it("a sensor that got noisy is erratic", () => {
    const random = seededRandom("noise");
    const verdicts = play(240, (x) => {
      x[at("latency_p95_ms")]! += 20 * random.normal();
    });
    expect(named(verdicts.at(-1))).toEqual(["latency_p95_ms erratic"]);
  });

  it("gaps and impossible values are noticed without anything learnt", () => {
    const gaps = play(
      10,
      (x) => {
        x[at("queue_depth")] = Number.NaN;
      },
      { description: null },
    );
    expect(firstAlarm(gaps)).toBe(2);
    expect(named(gaps.at(-1))).toEqual(["queue_depth dropout"]);
    const impossible = play(
      10,
      (x) => {
        x[at("fan_rpm_pct")] = 655.35;
      },
      { description: null },
    );
    expect(impossible[0]?.suspects).toEqual([
      { field: "fan_rpm_pct", problem: "range", expected: Number.NaN },
    ]);
    expect(named(impossible.at(-1))).toEqual(["fan_rpm_pct range"]);
  });

  it("what several sensors say together is the rack's departure, and none of them is doubted", () => {
    const verdicts = play(60, (x) => {
      x[at("inlet_c")]! += 4;
      x[at("outlet_c")]! += 9;
      x[at("fan_rpm_pct")]! += 12;
    });
    expect(verdicts.at(-1)).toMatchObject({ departure: "relations", suspects: [], alarms: [] });
  });

  it("a load that jumps, within all that is usual, is a change", () => {
    const random = seededRandom("jump");
    const verdicts = play(60, (x) => x.set(rackWindow(0.15, random)));
    const settled = play(60, (x, window) => x.set(rackWindow(loadAt(300 + window), random)));
    expect(verdicts.some((v) => v.departure === "change")).toBe(true);
    expect(verdicts.every((v) => v.alarms.length === 0)).toBe(true);
    expect(settled.every((v) => v.departure === null)).toBe(true);
  });

  it("while devices are commanded otherwise, relations are not judged", () => {
    const verdicts = play(
      60,
      (x) => {
        x[at("pump_rpm_pct")]! += 20;
      },
      { intervened: true },
    );
    expect(verdicts.every((v) => v.suspects.length === 0 && v.departure === null)).toBe(true);
  });

  it("whatever comes in, it answers with known fields and never throws", () => {
    const value = fc.oneof(
      fc.double(),
      fc.constant(Number.NaN),
      fc.double({ min: -100, max: 10_000, noNaN: true }),
    );
    const windows = fc.array(fc.array(value, { minLength: FEATURES.length, maxLength: FEATURES.length }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(windows, (rows) => {
        const monitor = createHealthMonitor(health);
        for (const [i, row] of rows.entries()) {
          const { suspects, alarms } = monitor.check(i * WINDOW_MS, Float64Array.from(row));
          for (const { field } of [...suspects, ...alarms]) expect(HEALTH_FIELDS).toContain(field);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("takes suspect readings, and delta_t with a temperature, out of the features", () => {
    const x = new Float64Array(FEATURES.length).fill(1);
    withoutSuspects(x, [{ field: "outlet_c", problem: "drift", expected: 30 }]);
    expect([...x.keys()].filter((j) => Number.isNaN(x[j]!))).toEqual([at("outlet_c"), at("delta_t")]);
  });
});

describe("training of sensor health", () => {
  const options = { limits: LIMITS, data: "test", created_ms: 0 };

  it("gives a small description that survives JSON and its schema", () => {
    const text = JSON.stringify(health);
    expect(text.length).toBeLessThan(10_000);
    expect(HealthDescription.parse(JSON.parse(text))).toEqual(health);
  });

  it("refuses too little data, and a quantity that never changes", () => {
    expect(() => trainHealth([healthyRows(500, 1)], options)).toThrow(
      /SKADI_BAD_DATA|≥ 2000 nominal windows/,
    );
    const constant = healthyRows(3_000, 1);
    for (let i = 0; i < 3_000; i++) constant[i * FEATURES.length + at("pump_rpm_pct")] = 50;
    expect(() => trainHealth([constant], options)).toThrow(/pump_rpm_pct/);
  });

  it("does not judge as stuck a sensor that repeats itself by nature", () => {
    const held = healthyRows(6_000, 4);
    for (let i = 0; i < 6_000; i++) {
      if (i % 30 !== 0)
        held[i * FEATURES.length + at("fan_rpm_pct")] = held[(i - 1) * FEATURES.length + at("fan_rpm_pct")]!;
    }
    const { stuck_windows } = trainHealth([held], options);
    expect(stuck_windows[HEALTH_FIELDS.indexOf("fan_rpm_pct")]).toBeNull();
    expect(stuck_windows[HEALTH_FIELDS.indexOf("inlet_c")]).toBeLessThan(10);
  });
});
