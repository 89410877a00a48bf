import { describe, expect, it } from "vitest";
import { createSupervisor, type Supervised, unsupervised } from "../../../agent/health.ts";
import type { RackTarget } from "../../../shared/contracts/action.ts";
import { type MeasuredField, TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { believed } from "../../../shared/ims/believed.ts";
import { seededRandom } from "../../../shared/random.ts";
import { loadAt, rackWindow, smallHealth } from "../../support/health.ts";

const WINDOW_MS = 5_000;
const LIMIT_C = 27.5;
const health = smallHealth();
const AUTOMATIC: Record<RackTarget, number | null> = {
  fan_rpm_pct: null,
  pump_rpm_pct: null,
  routing_weight_pct: null,
  admission_pct: null,
  batch_window_ms: null,
  power_cap_kw: null,
};

type Changes = Partial<Record<MeasuredField, number | null>> & {
  quality?: Partial<Record<MeasuredField, "suspect">>;
};

function sampleAt(window: number, x: Float64Array, changes: Changes) {
  const [
    inlet_c,
    outlet_c,
    ,
    pdu_kw,
    gpu_kw,
    tokens_ps,
    latency_p95_ms,
    queue_depth,
    fan_rpm_pct,
    pump_rpm_pct,
  ] = x;
  const values = {
    inlet_c,
    outlet_c,
    pdu_kw,
    tokens_ps,
    latency_p95_ms,
    queue_depth,
    fan_rpm_pct,
    pump_rpm_pct,
  };
  const ts = new Date(Date.UTC(2026, 0, 1) + window * WINDOW_MS).toISOString();
  const energy = { gpu_energy_j: gpu_kw! * 5_000, interval_s: 5 };
  return TelemetrySample.parse({ v: 1, ts, rack_id: "R-A-01", ...values, ...energy, ...changes });
}

/** 100 sound windows, then one with the changes. */
function supervised(
  changes: Changes,
  options: { setpoints?: Partial<Record<RackTarget, number>>; learnt?: boolean } = {},
): Supervised {
  const supervisor = createSupervisor(options.learnt === false ? null : health, LIMIT_C);
  const setpoints = { ...AUTOMATIC, ...options.setpoints };
  const random = seededRandom("supervisor");
  const check = (window: number, with_changes: typeof changes) =>
    supervisor.check(
      window * WINDOW_MS,
      sampleAt(window, rackWindow(loadAt(window), random), with_changes),
      setpoints,
    );
  for (let window = 0; window < 100; window++) check(window, {});
  return check(100, changes);
}

describe("the agent's supervision of its sensors", () => {
  it("leaves sound readings as they are", () => {
    const { sample, guarded, departure } = supervised({});
    expect(Object.values(sample.quality)).toEqual(Array(9).fill("good"));
    expect(guarded).toEqual(sample);
    expect(departure).toBeNull();
  });

  it("an inlet that looks too cold is marked, not scored, and taken away from the guardrail", () => {
    const { sample, guarded } = supervised({ inlet_c: 12 });
    expect(sample).toMatchObject({ inlet_c: 12, quality: { inlet_c: "suspect" } });
    expect(believed(sample).inlet_c).toBeNull();
    expect(guarded.inlet_c).toBeNull();
  });

  it("an inlet that looks too hot is marked and not scored, but the guardrail sees it", () => {
    const { sample, guarded } = supervised({ inlet_c: 33 });
    expect(sample.quality.inlet_c).toBe("suspect");
    expect(believed(sample).inlet_c).toBeNull();
    expect(guarded.inlet_c).toBe(33);
  });

  it("a doubtful energy counter is marked under its own name", () => {
    expect(supervised({ gpu_energy_j: 0 }).sample.quality.gpu_energy_j).toBe("suspect");
  });

  it("a doubtful fan speed is unknown to the guardrail", () => {
    expect(supervised({ fan_rpm_pct: 5 }).guarded.fan_rpm_pct).toBeNull();
  });

  it("does not doubt a pump that was told to run faster", () => {
    const { sample } = supervised({ pump_rpm_pct: 85 }, { setpoints: { pump_rpm_pct: 85 } });
    expect(sample.quality.pump_rpm_pct).toBe("good");
  });

  it("without anything learnt it changes no reading that is possible", () => {
    const { sample, guarded } = supervised({ inlet_c: 12 }, { learnt: false });
    expect(sample.quality.inlet_c).toBe("good");
    expect(guarded).toEqual(sample);
  });

  describe("of a reading that its own device doubts", () => {
    const doubted = (changes: Changes, ...fields: MeasuredField[]) =>
      supervised(
        { ...changes, quality: Object.fromEntries(fields.map((field) => [field, "suspect"])) },
        { learnt: false },
      );

    it("an inlet below the limit is taken away from the guardrail, and stays in the telemetry", () => {
      const { sample, guarded } = doubted({ inlet_c: 4 }, "inlet_c");
      expect(guarded.inlet_c).toBeNull();
      expect(sample).toMatchObject({ inlet_c: 4, quality: { inlet_c: "suspect" } });
    });

    it("an inlet at the limit is seen by the guardrail: real heat costs a rack", () => {
      expect(doubted({ inlet_c: LIMIT_C }, "inlet_c").guarded.inlet_c).toBe(LIMIT_C);
      expect(doubted({ inlet_c: LIMIT_C - 0.1 }, "inlet_c").guarded.inlet_c).toBeNull();
    });

    it("an outlet and speeds are unknown to the guardrail, and what is not doubted stays", () => {
      const { guarded } = doubted({ outlet_c: 60 }, "outlet_c", "fan_rpm_pct", "pump_rpm_pct");
      expect(guarded).toMatchObject({ outlet_c: null, fan_rpm_pct: null, pump_rpm_pct: null });
      expect(guarded.inlet_c).toBeCloseTo(22, -1);
    });

    it("it is not believed for being hotter than predicted: who doubts it may know why", () => {
      const quality = { inlet_c: "suspect" } as const;
      expect(supervised({ inlet_c: 26, quality }).guarded.inlet_c).toBeNull();
    });

    it("nothing is believed either where supervision itself fails", () => {
      const sample = sampleAt(0, rackWindow(0.5, seededRandom("failing")), {
        quality: { inlet_c: "suspect" },
      });
      expect(unsupervised(sample, LIMIT_C)).toMatchObject({ sample, guarded: { inlet_c: null } });
    });
  });

  it("tells once that a sensor's trouble lasts, and once that it is over", () => {
    const supervisor = createSupervisor(null, LIMIT_C);
    const random = seededRandom("news");
    const news: (string[] | null)[] = [];
    for (let window = 0; window < 150; window++) {
      const changes = window < 5 ? { queue_depth: null } : {};
      const sample = sampleAt(window, rackWindow(loadAt(window), random), changes);
      news.push(supervisor.check(window * WINDOW_MS, sample, AUTOMATIC).news);
    }
    expect(news.filter((n) => n !== null)).toEqual([["queue_depth: dropout"], []]);
  });
});
