import { describe, expect, it } from "vitest";
import type { RackTarget } from "../../../shared/contracts/action.ts";
import { offlineAgent } from "../../support/offline-agent.ts";
import { temporaryFolder } from "../../support/temporary.ts";

type Rack = Awaited<ReturnType<typeof offlineAgent>>;

const OVER_LIMIT_C = 29;
const NEAR_LIMIT_C = 27.8;
const COOL_C = 22.5;

/** Its pump and fan turn as fast as they are told. */
async function minutes(rack: Rack, count: number): Promise<void> {
  for (let s = 0; s < count * 60; s++) {
    rack.values.pump_rpm_pct = rack.setpoints.pump_rpm_pct ?? 57;
    await rack.run(1);
  }
}

describe("a rack over its limit is cooled", () => {
  it("although its pump has fallen back to a slow speed of its own meanwhile", async () => {
    const rack = await offlineAgent({ setpoints: { pump_rpm_pct: 70 } });
    rack.setpoints.pump_rpm_pct = 40;
    rack.values.inlet_c = OVER_LIMIT_C;
    await minutes(rack, 2);
    expect(rack.setpoints.pump_rpm_pct).toBe(90);
  });

  it("although its pump was at its maximum once, and has forgotten it", async () => {
    const rack = await offlineAgent();
    rack.values.inlet_c = OVER_LIMIT_C;
    await minutes(rack, 2);
    expect(rack.setpoints.pump_rpm_pct).toBe(90);
    rack.setpoints.pump_rpm_pct = 35;
    await minutes(rack, 4);
    expect(rack.setpoints.pump_rpm_pct).toBe(90);
  });

  it("although the answer to an earlier hand-back was lost", async () => {
    let mute = false;
    const rack = await offlineAgent({
      actuators: {
        async write(target, value) {
          rack.setpoints[target] = value;
          if (mute && value === null) throw new Error("no answer");
        },
      },
    });
    rack.values.inlet_c = OVER_LIMIT_C;
    await minutes(rack, 1);
    mute = true;
    rack.values.inlet_c = COOL_C;
    for (let s = 0; s < 900 && rack.setpoints.pump_rpm_pct !== null; s++) await rack.run(1);
    expect(rack.setpoints.pump_rpm_pct).toBe(null);
    mute = false;
    rack.values.inlet_c = OVER_LIMIT_C;
    await minutes(rack, 1);
    expect(rack.setpoints.pump_rpm_pct).toBeGreaterThan(57);
  });

  it("and what somebody on the spot has turned up further is not turned down", async () => {
    const rack = await offlineAgent({ setpoints: { pump_rpm_pct: 60, routing_weight_pct: 100 } });
    rack.setpoints.pump_rpm_pct = 88;
    rack.setpoints.routing_weight_pct = 45;
    rack.values.inlet_c = OVER_LIMIT_C;
    await minutes(rack, 1);
    expect(rack.writes.filter(([target]) => target === "pump_rpm_pct")).toEqual([["pump_rpm_pct", 90]]);
    expect(rack.writes.filter(([target]) => target === "routing_weight_pct")).toEqual([
      ["routing_weight_pct", 40],
    ]);
  });

  it("although its pump's setpoint could not be made sense of at the start", async () => {
    let sense = false;
    const rack = await offlineAgent({
      setpoints: { pump_rpm_pct: 60 },
      actuators: {
        read: async (target): Promise<number | null> =>
          sense || target !== "pump_rpm_pct" ? (rack?.setpoints[target] ?? null) : Number.NaN,
      },
    });
    rack.values.inlet_c = OVER_LIMIT_C;
    await rack.run(10);
    expect(rack.writes.filter(([target]) => target === "pump_rpm_pct")).toEqual([]);
    sense = true;
    await minutes(rack, 2);
    expect(rack.setpoints.pump_rpm_pct).toBe(90);
    for (const [, value] of rack.writes) expect(value).toSatisfy(Number.isFinite);
  });
});

describe("a rack near its limit", () => {
  const after30Minutes = async (targets: readonly RackTarget[]) => {
    const rack = await offlineAgent({ actuators: { targets } });
    rack.values.inlet_c = NEAR_LIMIT_C;
    await minutes(rack, 30);
    return rack;
  };

  it("has its power capped in the end, whether or not a scheduler can be asked first", async () => {
    const all = [
      "pump_rpm_pct",
      "fan_rpm_pct",
      "power_cap_kw",
      "admission_pct",
      "routing_weight_pct",
    ] as const;
    expect((await after30Minutes(all)).setpoints).toMatchObject({ admission_pct: 70, power_cap_kw: 4 });
    const rack = await after30Minutes(["pump_rpm_pct", "fan_rpm_pct", "power_cap_kw"]);
    expect(rack.setpoints).toEqual({ pump_rpm_pct: 90, power_cap_kw: 4 });
    expect(rack.actions.filter(({ outcome }) => outcome === "refused")).toEqual([]);
  });

  it("has what nobody drives advised, not refused over and over", async () => {
    const rack = await after30Minutes(["fan_rpm_pct"]);
    const of_admission = rack.actions.filter(({ target }) => target === "admission_pct");
    expect(of_admission.map(({ outcome }) => outcome)).toContain("advised");
    expect(rack.actions.length).toBeLessThan(20);
    expect(rack.writes).toEqual([]);
  });

  it("does not wait for a pump that fails", async () => {
    const rack = await offlineAgent({
      actuators: {
        async write(target, value) {
          if (target === "pump_rpm_pct") throw new Error("bus timeout");
          rack.setpoints[target] = value;
        },
      },
    });
    rack.values.inlet_c = NEAR_LIMIT_C;
    await minutes(rack, 30);
    expect(rack.setpoints).toEqual({ admission_pct: 70, routing_weight_pct: 40, power_cap_kw: 4 });
  });
});

describe("what the guardrail drove is handed back", () => {
  const HOT_MINUTES = 2;
  const CALM_MINUTES = 25;

  it("although the device that would be the first of all does not take it", async () => {
    const rack = await offlineAgent({
      actuators: {
        async write(target, value) {
          if (target === "power_cap_kw" && value === null) throw new Error("bus timeout");
          rack.setpoints[target] = value;
        },
      },
    });
    rack.values.inlet_c = OVER_LIMIT_C;
    await minutes(rack, HOT_MINUTES);
    rack.values.inlet_c = COOL_C;
    await minutes(rack, CALM_MINUTES);
    const { power_cap_kw, ...others } = rack.setpoints;
    expect(power_cap_kw).toBeGreaterThan(0);
    expect(others).toEqual({ pump_rpm_pct: null, admission_pct: null, routing_weight_pct: null });
  });

  it("by its upper limit where a device knows no control of its own; a speed stays", async () => {
    const without_own_control = ["power_cap_kw", "pump_rpm_pct"] as const;
    const rack = await offlineAgent({ actuators: { without_own_control } });
    rack.values.inlet_c = OVER_LIMIT_C;
    await minutes(rack, HOT_MINUTES);
    const { power_cap_kw: capped_kw } = rack.setpoints;
    expect(capped_kw).toBeLessThan(12);
    rack.values.inlet_c = COOL_C;
    await minutes(rack, CALM_MINUTES);
    const { max } = rack.config.actuators.power_cap_kw;
    expect(rack.setpoints).toMatchObject({ power_cap_kw: max, pump_rpm_pct: 90, admission_pct: null });
    const released = rack.actions.filter(({ kind }) => kind === "release");
    expect(released.every(({ outcome }) => outcome === "applied")).toBe(true);
  });

  it("by the next run too where a device does not tell what is in force", async () => {
    const folder = temporaryFolder();
    const told: [RackTarget, number | null][] = [];
    const scheduler = () => {
      let sent: number | null = null;
      return {
        targets: ["routing_weight_pct"] as const,
        read: async () => sent,
        async write(target: RackTarget, value: number | null) {
          sent = value;
          told.push([target, value]);
        },
      };
    };
    const first = await offlineAgent({ folder, actuators: scheduler() });
    first.values.inlet_c = OVER_LIMIT_C;
    await first.run(60);
    await first.stop();
    expect(told.at(-1)).toEqual(["routing_weight_pct", 40]);
    const next = await offlineAgent({ folder, actuators: scheduler() });
    await minutes(next, 10);
    expect(told.at(-1)).toEqual(["routing_weight_pct", null]);
  });
});
