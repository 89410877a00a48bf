import { describe, expect, it } from "vitest";
import { adviceFilter } from "../../../agent/actuators/advice.ts";
import type { ActuatorDriver } from "../../../agent/actuators/driver.ts";
import { driveThroughGate } from "../../../agent/actuators/gate.ts";
import type { RackTarget } from "../../../shared/contracts/action.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import { virtualClock } from "../../../shared/time.ts";

const clock = virtualClock();
const { actuators } = AgentConfig.parse({ rack_id: "R-A-01" });

/** A device that remembers; `obeys` false ignores writes, as a locked controller does. */
function device(
  options: {
    fan?: number | null;
    obeys?: boolean;
    broken?: boolean;
    hangs?: boolean;
    rounds?: boolean;
    /** Says nothing to a write. */
    deaf?: boolean;
  } = {},
) {
  const written: [RackTarget, number | null][] = [];
  const given_up: unknown[] = [];
  let fan = options.fan ?? null;
  const driver: ActuatorDriver = {
    name: "test",
    targets: ["fan_rpm_pct"],
    read: async () => {
      if (options.broken) throw new Error("bus timeout");
      if (options.hangs) await new Promise(() => {});
      return fan;
    },
    write: async (target, value, { signal } = {}) => {
      written.push([target, value]);
      signal?.addEventListener("abort", () => given_up.push(signal.reason));
      if (options.deaf) await new Promise(() => {});
      if (options.obeys !== false) fan = options.rounds && value !== null ? Math.round(value) : value;
    },
    close: async () => {},
    failSafe: async () => {},
  };
  return { driver, written, given_up };
}

describe("the gate before every actuator", () => {
  it("drives nothing in advisory mode", async () => {
    const { driver, written } = device({ fan: 60 });
    const result = await driveThroughGate(
      driver,
      actuators,
      {
        target: "fan_rpm_pct",
        value: 70,
        mode: "advisory",
      },
      clock,
    );
    expect(result).toEqual({ outcome: "advised", from: 60, found: 60 });
    expect(written).toEqual([]);
  });

  it("drives and reads back in closed loop", async () => {
    const { driver, written } = device({ fan: 60 });
    const result = await driveThroughGate(
      driver,
      actuators,
      {
        target: "fan_rpm_pct",
        value: 70,
        mode: "closed_loop",
      },
      clock,
    );
    expect(result).toEqual({ outcome: "applied", from: 60, found: 60, now: 70 });
    expect(written).toEqual([["fan_rpm_pct", 70]]);
  });

  it.each([39.9, 100.1, Number.NaN, Number.POSITIVE_INFINITY])(
    "never writes %s, which is outside 40 to 100",
    async (value) => {
      const { driver, written } = device({ fan: null });
      const result = await driveThroughGate(
        driver,
        actuators,
        {
          target: "fan_rpm_pct",
          value,
          mode: "closed_loop",
        },
        clock,
      );
      expect(result.rejection).toMatchObject({
        code: "SKADI_LIMIT",
        field: "fan_rpm_pct",
        expected: "40 to 100",
      });
      expect(written).toEqual([]);
    },
  );

  it("never takes a larger step than configured", async () => {
    const { driver, written } = device({ fan: 60 });
    const result = await driveThroughGate(
      driver,
      actuators,
      {
        target: "fan_rpm_pct",
        value: 76,
        mode: "closed_loop",
      },
      clock,
    );
    expect(result.rejection?.code).toBe("SKADI_LIMIT");
    expect(written).toEqual([]);
  });

  it("reports a device that does not do what it was told", async () => {
    const { driver } = device({ fan: 60, obeys: false });
    const result = await driveThroughGate(
      driver,
      actuators,
      {
        target: "fan_rpm_pct",
        value: 70,
        mode: "closed_loop",
      },
      clock,
    );
    expect(result).toMatchObject({ outcome: "refused", rejection: { code: "SKADI_DRIVER", value: 60 } });
  });

  it("turns a failing device into a refusal", async () => {
    const { driver } = device({ broken: true });
    const result = await driveThroughGate(
      driver,
      actuators,
      {
        target: "fan_rpm_pct",
        value: 70,
        mode: "closed_loop",
      },
      clock,
    );
    expect(result.rejection?.message).toContain("bus timeout");
  });

  it("takes a device that rounds for one that obeys, and reports what it made of the value", async () => {
    const { driver } = device({ fan: 60, rounds: true });
    const request = { target: "fan_rpm_pct", value: 67.3, mode: "closed_loop" } as const;
    expect(await driveThroughGate(driver, actuators, request, clock)).toEqual({
      outcome: "applied",
      from: 60,
      found: 60,
      now: 67,
    });
  });

  it("brings a device that someone left outside its limits back to the nearest one, however far", async () => {
    const { driver } = device({ fan: 10 });
    const request = { target: "fan_rpm_pct", value: 40, mode: "closed_loop" } as const;
    expect((await driveThroughGate(driver, actuators, request, clock)).outcome).toBe("applied");
  });

  it("does not wait for ever for a device that hangs", async () => {
    const { driver } = device({ hangs: true });
    const request = { target: "fan_rpm_pct", value: 70, mode: "closed_loop" } as const;
    const pending = driveThroughGate(driver, actuators, request, clock);
    clock.advance(5_000);
    expect((await pending).rejection?.message).toContain("no answer within 5 s");
  });

  it("drives nothing to cool the rack that would cool it less than what is in force", async () => {
    const { driver, written } = device({ fan: 80 });
    const request = { target: "fan_rpm_pct", value: 75, mode: "closed_loop" } as const;
    const result = await driveThroughGate(driver, actuators, { ...request, to_cool: true }, clock);
    expect(result).toMatchObject({ outcome: "refused", found: 80, rejection: { code: "SKADI_CONFLICT" } });
    expect(written).toEqual([]);
    expect((await driveThroughGate(driver, actuators, request, clock)).outcome).toBe("applied");
  });

  it("takes a setpoint that is no number for a device that fails", async () => {
    const { driver, written } = device({ fan: Number.NaN });
    const request = { target: "fan_rpm_pct", value: 100, mode: "closed_loop" } as const;
    const result = await driveThroughGate(driver, actuators, request, clock);
    expect(result).toMatchObject({ outcome: "refused", from: null, failed: true });
    expect(result.rejection?.message).toContain("NaN");
    expect(result).not.toHaveProperty("found");
    expect(written).toEqual([]);
  });

  it("tells the driver that it has given up, so that the driver ends what it has begun", async () => {
    const { driver, given_up } = device({ fan: 60, deaf: true });
    const request = { target: "fan_rpm_pct", value: 70, mode: "closed_loop" } as const;
    const pending = driveThroughGate(driver, actuators, request, clock);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5_000);
    expect((await pending).outcome).toBe("refused");
    expect(given_up.map(String)).toEqual(["Error: no answer within 5 s"]);
  });

  it("refuses a target that the driver does not have", async () => {
    const { driver } = device();
    const result = await driveThroughGate(
      driver,
      actuators,
      {
        target: "pump_rpm_pct",
        value: 60,
        mode: "closed_loop",
      },
      clock,
    );
    expect(result.outcome).toBe("refused");
  });
});

describe("advice", () => {
  it("is news once in ten minutes per target", () => {
    const isNews = adviceFilter();
    expect(isNews(0, "pre_cool", "fan_rpm_pct")).toBe(true);
    expect(isNews(60_000, "pre_cool", "fan_rpm_pct")).toBe(false);
    expect(isNews(60_000, "pre_cool", "pump_rpm_pct")).toBe(true);
    expect(isNews(600_000, "pre_cool", "fan_rpm_pct")).toBe(true);
  });
});
