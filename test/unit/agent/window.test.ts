import { describe, expect, it } from "vitest";
import type { SensorRead } from "../../../agent/sensors/driver.ts";
import { sampleWindow } from "../../../agent/window.ts";

const read = (at_ms: number, changes: Partial<SensorRead["values"]> = {}): SensorRead => ({
  at_ms,
  values: {
    inlet_c: 22,
    outlet_c: 35,
    pdu_kw: 8,
    gpu_energy_j: 5_600,
    tokens_ps: 8_000,
    latency_p95_ms: 180,
    queue_depth: 30,
    fan_rpm_pct: 65,
    pump_rpm_pct: 55,
    ...changes,
  },
});

describe("a window of one-second reads", () => {
  it("averages the readings and sums the energy over the time that they cover", () => {
    const window = sampleWindow(null);
    window.add(read(0, { gpu_energy_j: 99_999 }));
    for (let s = 1; s <= 5; s++) window.add(read(s * 1000, { inlet_c: 20 + s }));
    const sample = window.close();
    expect(sample).toMatchObject({ at_ms: 5_000, interval_s: 5 });
    expect(sample?.values.gpu_energy_j).toBe(5 * 5_600);
    expect(sample?.values.inlet_c).toBeCloseTo((22 + 21 + 22 + 23 + 24 + 25) / 6, 12);
  });

  it("gives the true power when the timer is late", () => {
    const window = sampleWindow(null);
    window.add(read(0));
    window.close();
    window.add(read(7_300, { gpu_energy_j: 7_300 * 5.6 }));
    const sample = window.close();
    expect(sample!.values.gpu_energy_j! / sample!.interval_s / 1000).toBeCloseTo(5.6, 12);
  });

  it("leaves out silent sensors and what no sensor can report, and says so by null", () => {
    const window = sampleWindow(null);
    window.add(read(0));
    window.add(read(1_000, { inlet_c: null, fan_rpm_pct: 6_553.5 }));
    const sample = window.close();
    expect(sample?.values.inlet_c).toBe(22);
    window.add(read(2_000, { inlet_c: null, fan_rpm_pct: Number.NaN }));
    expect(window.close()?.values).toMatchObject({ inlet_c: null, fan_rpm_pct: null, outlet_c: 35 });
  });

  it("keeps the hottest believable inlet beside the mean, wherever in the window it came", () => {
    const window = sampleWindow(null);
    window.add(read(0));
    for (const [s, inlet_c] of [28.1, 500, Number.NaN, null, 22].entries())
      window.add(read((s + 1) * 1000, { inlet_c }));
    const sample = window.close();
    expect(sample?.hottest_inlet_c).toBe(28.1);
    expect(sample?.values.inlet_c).toBeCloseTo((22 + 28.1 + 22) / 3, 12);
    window.add(read(6_000));
    expect(window.close()?.hottest_inlet_c).toBe(22);
    window.add(read(7_000, { inlet_c: null }));
    expect(window.close()?.hottest_inlet_c).toBeNull();
  });

  it("starts anew after a long silence instead of averaging two different times", () => {
    const window = sampleWindow(null);
    window.add(read(0));
    window.add(read(90_000_000, { gpu_energy_j: 5e11, inlet_c: 24 }));
    expect(window.close()).toMatchObject({ interval_s: 1, values: { gpu_energy_j: null, inlet_c: 24 } });
    window.add(read(90_005_000, { gpu_energy_j: 28_000 }));
    expect(window.close()).toMatchObject({ interval_s: 5, values: { gpu_energy_j: 28_000 } });
  });

  it("takes the first read alone for one sampling interval, without an energy", () => {
    const window = sampleWindow(null, 2);
    window.add(read(1_000));
    expect(window.close()).toMatchObject({
      ...{ at_ms: 1_000, interval_s: 2, hottest_inlet_c: 22 },
      values: { gpu_energy_j: null, inlet_c: 22 },
    });
    window.add(read(3_000));
    expect(window.close()).toMatchObject({ interval_s: 2, values: { gpu_energy_j: 5_600 } });
  });

  it("is no sample when nothing was read, or when time stood still", () => {
    const window = sampleWindow(null);
    expect(window.close()).toBeNull();
    window.add(read(1_000));
    window.close();
    window.add(read(1_000));
    expect(window.close()).toBeNull();
    window.add(read(2_000));
    expect(window.close()).not.toBeNull();
  });
});
