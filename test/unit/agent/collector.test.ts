import { setImmediate as turn } from "node:timers/promises";
import pino from "pino";
import { describe, expect, it } from "vitest";
import { type CollectedDevice, collector } from "../../../agent/sensors/collector.ts";
import type { PointReading } from "../../../agent/sensors/device.ts";
import type { MeasuredField } from "../../../shared/contracts/telemetry.ts";
import { createLog } from "../../../shared/log.ts";
import { virtualClock } from "../../../shared/time.ts";

const log = createLog("test", "silent");

/** A device that a test can make silent, slow or wrong, which no real one can be made to be at will. */
function device(name: string, fields: readonly MeasuredField[], changes: Partial<CollectedDevice> = {}) {
  const state = {
    values: fields.map(() => 20 as number | null),
    fail: false,
    hang: false,
    reads: 0,
    opens: 0,
  };
  const extra: Partial<PointReading> = {};
  const collected: CollectedDevice = {
    points: fields.map((field) => ({
      field,
      scale: 1,
      offset: 0,
      ...(field === "gpu_energy_j" ? { unit: "watt" as const } : {}),
    })),
    poll_s: 1,
    timeout_s: 2,
    retries: 0,
    device: {
      name,
      open: async () => {
        state.opens++;
      },
      async read() {
        state.reads++;
        if (state.hang) await new Promise(() => {});
        if (state.fail) throw new Error("unplugged");
        return state.values.map((value) => ({ values: [value], ...extra }));
      },
      close: async () => {},
    },
    ...changes,
  };
  return { collected, state, extra };
}

async function rig(...devices: ReturnType<typeof device>[]) {
  const clock = virtualClock(1_000_000);
  const driver = collector({ devices: devices.map((d) => d.collected), aggregates: {}, clock, log });
  await driver.open();
  const pass = async (seconds: number) => {
    for (let s = 0; s < seconds; s++) {
      clock.advance(1_000);
      for (let i = 0; i < 5; i++) await turn();
    }
  };
  return { driver, clock, pass };
}

describe("the collector", () => {
  it("makes one read of several devices, and a field that none measures is missing", async () => {
    const { driver } = await rig(device("pdu", ["pdu_kw"]), device("probe", ["inlet_c", "outlet_c"]));
    const { values } = await driver.read();
    expect(values).toMatchObject({ pdu_kw: 20, inlet_c: 20, outlet_c: 20, fan_rpm_pct: null });
  });

  it("adds the powers of two devices and takes the hotter of two inlets", async () => {
    const [a, b] = [device("a", ["pdu_kw", "inlet_c"]), device("b", ["pdu_kw", "inlet_c"])];
    b.state.values = [4, 25];
    const { driver } = await rig(a, b);
    expect((await driver.read()).values).toMatchObject({ pdu_kw: 24, inlet_c: 25 });
  });

  it("keeps a rack as hot as its hottest probe was when that device dies, and as the other one moves", async () => {
    const [top, bottom] = [device("top", ["inlet_c"]), device("bottom", ["inlet_c"])];
    top.state.values = [29];
    bottom.state.values = [23];
    const { driver, pass } = await rig(top, bottom);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 29 }, quality: {} });
    top.state.fail = true;
    await pass(30);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 29 }, quality: { inlet_c: "stale" } });
    bottom.state.values = [24.5];
    await pass(1);
    expect((await driver.read()).values.inlet_c).toBe(30.5);
    top.state.fail = false;
    top.state.values = [25];
    await pass(31);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 25 }, quality: {} });
  });

  it("estimates a silent device from where the others were when it was read, not when it was given up", async () => {
    const [top, bottom] = [device("top", ["inlet_c"], { stale_after_s: 60 }), device("bottom", ["inlet_c"])];
    top.state.values = [26];
    bottom.state.values = [20];
    const { driver, pass } = await rig(top, bottom);
    await driver.read();
    top.state.fail = true;
    await pass(30);
    bottom.state.values = [23];
    await pass(1);
    expect((await driver.read()).values.inlet_c).toBe(26);
    await pass(40);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 29 }, quality: { inlet_c: "stale" } });
  });

  it("doubts a temperature until every device that measures it has spoken", async () => {
    const [top, bottom] = [device("top", ["inlet_c", "pdu_kw"]), device("bottom", ["inlet_c"])];
    top.state.fail = true;
    const { driver, pass } = await rig(top, bottom);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 20 }, quality: { inlet_c: "suspect" } });
    top.state.fail = false;
    await pass(31);
    expect((await driver.read()).quality).toEqual({});
  });

  it("passes on that a probe of a device is estimated, or that a device has yet to speak", async () => {
    const [walk, other] = [device("walk", ["inlet_c"]), device("other", ["inlet_c"])];
    let parts: (number | null)[] = [24, null];
    walk.collected.device.read = async () => [{ values: parts }];
    other.state.fail = true;
    const { driver, pass } = await rig(walk, other);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 24 }, quality: { inlet_c: "suspect" } });
    other.state.fail = false;
    parts = [24, 22];
    await pass(30);
    expect((await driver.read()).quality).toEqual({});
    parts = [null, 22.5];
    await pass(1);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 24.5 }, quality: { inlet_c: "stale" } });
    other.extra.suspect = true;
    await pass(1);
    expect((await driver.read()).quality).toEqual({ inlet_c: "suspect" });
  });

  it("does not estimate from what a device doubted before it fell silent", async () => {
    const [top, bottom] = [device("top", ["inlet_c"]), device("bottom", ["inlet_c"])];
    top.state.values = [4];
    top.extra.suspect = true;
    const { driver, pass } = await rig(top, bottom);
    top.state.fail = true;
    await pass(30);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 20 }, quality: { inlet_c: "suspect" } });
  });

  it("turns a power into the energy since the previous read", async () => {
    const gpu = device("gpu", ["gpu_energy_j"]);
    gpu.state.values = [5_600];
    const { driver, pass } = await rig(gpu);
    expect((await driver.read()).values.gpu_energy_j).toBeNull();
    await pass(3);
    expect((await driver.read()).values.gpu_energy_j).toBeCloseTo(3 * 5_600, 6);
  });

  it("calls a value stale when polls are overdue, and missing when it is too old to be believed", async () => {
    const probe = device("probe", ["inlet_c"]);
    const { driver, pass } = await rig(probe);
    probe.state.fail = true;
    await pass(3);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 20 }, quality: {} });
    await pass(1);
    expect(await driver.read()).toMatchObject({ values: { inlet_c: 20 }, quality: { inlet_c: "stale" } });
    await pass(2);
    expect((await driver.read()).values.inlet_c).toBeNull();
  });

  it("waits longer for a device that says something new less often than it is read", async () => {
    const probe = device("probe", ["inlet_c"], { every_s: 10 });
    const { driver, pass } = await rig(probe);
    for (const [age_s, quality, value] of [
      [10, {}, 20],
      [18, { inlet_c: "stale" }, 20],
      [33, {}, null],
    ] as const) {
      probe.extra.age_ms = age_s * 1000;
      await pass(1);
      expect(await driver.read()).toMatchObject({ values: { inlet_c: value }, quality });
    }
  });

  it("gives up a call that hangs, and a device that hangs delays no other", async () => {
    const [stuck, fine] = [device("stuck", ["pdu_kw"]), device("fine", ["inlet_c"])];
    const { driver, pass } = await rig(stuck, fine);
    stuck.state.hang = true;
    const before = fine.state.reads;
    await pass(10);
    expect(fine.state.reads - before).toBe(10);
    expect((await driver.read()).values).toMatchObject({ pdu_kw: null, inlet_c: 20 });
    expect(stuck.state.opens).toBeGreaterThan(1);
  });

  it("asks a failing device at longer and longer intervals, and recovers by itself", async () => {
    const probe = device("probe", ["inlet_c"]);
    const { driver, pass } = await rig(probe);
    probe.state.fail = true;
    await pass(120);
    expect(probe.state.reads).toBeLessThan(14);
    expect(probe.state.reads).toBeGreaterThan(6);
    probe.state.fail = false;
    await pass(31);
    expect((await driver.read()).values.inlet_c).toBe(20);
  });

  it("tries again at once as often as configured", async () => {
    const probe = device("probe", ["inlet_c"], { retries: 2 });
    probe.state.fail = true;
    await rig(probe);
    expect(probe.state.reads).toBe(3);
  });

  it("starts although a device is down", async () => {
    const probe = device("probe", ["inlet_c"]);
    probe.state.fail = true;
    const { driver } = await rig(probe);
    expect((await driver.read()).values.inlet_c).toBeNull();
  });

  it("passes on a device's own doubt and its own word on age", async () => {
    const probe = device("probe", ["inlet_c"]);
    probe.extra.suspect = true;
    const { driver, pass } = await rig(probe);
    expect((await driver.read()).quality).toEqual({ inlet_c: "suspect" });
    probe.extra.suspect = false;
    probe.extra.age_ms = 60_000;
    await pass(1);
    expect((await driver.read()).values.inlet_c).toBeNull();
  });

  it("says once why a point is silent, and when it speaks again", async () => {
    const lines: Record<string, unknown>[] = [];
    const told = pino({ level: "info" }, { write: (line) => lines.push(JSON.parse(line)) });
    const probe = device("probe", ["inlet_c", "outlet_c"]);
    probe.state.values = [null, 30];
    probe.extra.reason = "row 3 is not there";
    const clock = virtualClock(0);
    const driver = collector({ devices: [probe.collected], aggregates: {}, clock, log: told });
    const poll = async () => {
      clock.advance(1_000);
      for (let i = 0; i < 5; i++) await turn();
    };
    await driver.open();
    await poll();
    probe.state.values = [22, 30];
    await poll();
    const [silent, again, ...more] = lines;
    expect(silent).toMatchObject({
      event: "points_silent",
      fields: "inlet_c",
      reasons: ["row 3 is not there"],
    });
    expect(again).toMatchObject({ event: "points_answer_again", device: "probe" });
    expect(more).toEqual([]);
  });
});
