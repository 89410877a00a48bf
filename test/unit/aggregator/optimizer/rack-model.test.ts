import { describe, expect, it } from "vitest";
import { createSiteObserver, NO_SETPOINTS } from "../../../../aggregator/optimizer/site-observer.ts";
import { AggregatorConfig } from "../../../../shared/contracts/config.ts";
import { racksOf } from "../../../../shared/contracts/rack.ts";
import { TelemetrySample } from "../../../../shared/contracts/telemetry.ts";
import { isoTime } from "../../../../shared/time.ts";
import { createPlant } from "../../../../sim/plant/plant.ts";
import { readWindow } from "../../../../sim/site/window.ts";

const RACKS = racksOf(["A"], 4);
const NOON = Date.UTC(2026, 0, 15, 11);
const config = AggregatorConfig.parse({});

/** The plant as a rack's model gets to know it: 5 s windows with all the sensors' noise. */
function observed(
  minutes: number,
  steer: (plant: ReturnType<typeof createPlant>, minute: number) => void = () => {},
) {
  const plant = createPlant({ rack_ids: RACKS, seed: 77, start_ms: NOON });
  const observer = createSiteObserver(RACKS, config);
  for (let n = 0; n < minutes * 12; n++) {
    if (n % 12 === 0) steer(plant, n / 12);
    for (const [i, window] of readWindow(plant, RACKS, 5).entries()) {
      const about = { v: 1, ts: isoTime(plant.now_ms), rack_id: RACKS[i]!, seq: n };
      const setpoints = { ...NO_SETPOINTS, fan_rpm_pct: plant.target(RACKS[i]!, "fan_rpm_pct") };
      observer.observe(RACKS[i]!, TelemetrySample.parse({ ...about, ...window }), plant.now_ms, setpoints);
    }
  }
  return { plant, observer };
}

describe("a rack's model, learnt from noisy telemetry of the plant", () => {
  const steer = (plant: ReturnType<typeof createPlant>, minute: number) => {
    for (const rack_id of RACKS) {
      plant.setTarget(rack_id, "pump_rpm_pct", minute % 20 < 10 ? 60 : 75);
      plant.setTarget(rack_id, "fan_rpm_pct", minute % 30 < 15 ? 62 : 54);
    }
  };

  it("predicts a minute ahead within the sensors' noise, and ten minutes ahead nearly so", () => {
    const { observer } = observed(120, steer);
    const { one_step, ten_minutes } = observer.quality();
    expect(one_step.inlet_c).toBeLessThan(0.3);
    expect(one_step.outlet_c).toBeLessThan(0.6);
    expect(one_step.pdu_kw).toBeLessThan(0.12);
    expect(one_step.latency_p95_ms).toBeLessThan(12);
    expect(ten_minutes!.count).toBeGreaterThan(20);
    expect(ten_minutes!.inlet_c).toBeLessThan(0.6);
    expect(ten_minutes!.pdu_kw).toBeLessThan(0.8);
  });

  it("foresees where a setpoint that was never tried leads", () => {
    const { plant, observer } = observed(120, steer);
    const model = observer.rack(RACKS[1]!, plant.now_ms)!.model;
    const tokens_ps = plant.truth(RACKS[1]!).assigned_tokens_ps;
    const operation = {
      fan_pct: 58,
      pump_pct: 85,
      batch_window_ms: 20,
      supply_c: 22,
      tokens_ps,
      neighbour_c: 37,
    };
    const foreseen = model.predict(operation)!;
    for (const rack_id of RACKS) {
      plant.setTarget(rack_id, "fan_rpm_pct", 58);
      plant.setTarget(rack_id, "pump_rpm_pct", 85);
    }
    plant.setSupply(22);
    const truth = { inlet_c: 0, outlet_c: 0, pdu_kw: 0 };
    for (let s = 0; s < 1_200; s++) {
      plant.step(1);
      if (s < 900) continue;
      for (const field of ["inlet_c", "outlet_c", "pdu_kw"] as const)
        truth[field] += plant.truth(RACKS[1]!)[field] / 300;
    }
    expect(Math.abs(foreseen.inlet_c - truth.inlet_c)).toBeLessThan(0.8);
    expect(Math.abs(foreseen.outlet_c - truth.outlet_c)).toBeLessThan(1.5);
    expect(Math.abs(foreseen.pdu_kw - truth.pdu_kw)).toBeLessThan(0.4);
  });

  it("knows nothing at first, and ignores a sample with holes", () => {
    const observer = createSiteObserver(RACKS, config);
    const values = { inlet_c: null, outlet_c: 36, pdu_kw: 8, gpu_energy_j: 28_000, tokens_ps: 8_000 };
    const rest = { latency_p95_ms: 180, queue_depth: 30, fan_rpm_pct: 60, pump_rpm_pct: 55 };
    for (let n = 0; n < 200; n++) {
      const about = { v: 1, ts: isoTime(NOON + 5_000 * n), rack_id: RACKS[0]!, seq: n };
      const sample = TelemetrySample.parse({ ...about, ...values, ...rest });
      observer.observe(RACKS[0]!, sample, NOON + 5_000 * n, NO_SETPOINTS);
    }
    expect(observer.rack(RACKS[0]!, NOON)).toMatchObject({
      model: { recent: null },
      recent_age_ms: Number.POSITIVE_INFINITY,
    });
    expect(observer.quality()).toMatchObject({ racks: 0, ten_minutes: null });
  });
});
