import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ActuatorDriver } from "../../agent/actuators/driver.ts";
import { createAgent } from "../../agent/agent.ts";
import type { Severity } from "../../agent/guardrail/guardrail.ts";
import { noObserver } from "../../agent/observer.ts";
import { collector } from "../../agent/sensors/collector.ts";
import type { PointReading } from "../../agent/sensors/device.ts";
import { RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { createLog } from "../../shared/log.ts";
import { virtualClock } from "../../shared/time.ts";
import { temporaryFolder } from "../support/temporary.ts";

type Probe = (() => PointReading) | null;

/** A rack in closed loop whose inlet is measured by the given devices; null: the device is dead. */
async function guardedBy(probes: Record<string, Probe>) {
  const clock = virtualClock(Date.UTC(2026, 2, 2));
  const log = createLog("test", "silent");
  const folder = temporaryFolder();
  const seen: { severity: Severity; telemetry: TelemetrySample | null } = {
    severity: "none",
    telemetry: null,
  };
  const setpoints: Partial<Record<RackTarget, number | null>> = {};
  const actuators: ActuatorDriver = {
    name: "test",
    targets: RACK_TARGETS,
    deviceOf: (target) => target,
    read: async (target) => setpoints[target] ?? null,
    write: async (target, value) => {
      setpoints[target] = value;
    },
    failSafe: async () => {},
    close: async () => {},
  };
  const devices = Object.keys(probes).map((name) => ({
    points: [{ field: "inlet_c", scale: 1, offset: 0 } as const],
    ...{ poll_s: 1, timeout_s: 2, retries: 1 },
    device: {
      name,
      open: async () => {},
      async read() {
        const probe = probes[name];
        if (!probe) throw new Error("dead");
        return [probe()];
      },
      close: async () => {},
    },
  }));
  const agent = createAgent({
    config: AgentConfig.parse({
      rack_id: "R-C-07",
      mode: "closed_loop",
      model: { cache_dir: folder },
      uplink: { store: "memory" },
      guardrail: { kill_switch_file: join(folder, "kill-switch") },
    }),
    ...{ clock, log, actuators, public_key: null, offline: true },
    sensors: collector({ devices, aggregates: {}, clock, log }),
    observer: {
      ...noObserver,
      ticked({ severity, telemetry }) {
        seen.severity = severity;
        seen.telemetry = telemetry;
      },
    },
  });
  await agent.start();
  onTestFinished(() => agent.stop());
  const pass = async (seconds: number) => {
    for (let s = 0; s < seconds; s++) {
      clock.advance(1_000);
      for (let i = 0; i < 20; i++) await turn();
    }
  };
  return { seen, setpoints, pass };
}

describe("a rack that loses a sensor", () => {
  it("over its limit by its top probe stays protected when that probe dies, until it says that it is cool", async () => {
    const probes: Record<string, Probe> = {
      top: () => ({ values: [29] }),
      bottom: () => ({ values: [23] }),
    };
    const { seen, setpoints, pass } = await guardedBy(probes);
    await pass(60);
    expect(seen).toMatchObject({ severity: "over_limit", telemetry: { inlet_c: 29 } });
    const [pump, routing] = [setpoints.pump_rpm_pct!, setpoints.routing_weight_pct!];
    probes.top = null;
    await pass(900);
    expect(seen).toMatchObject({
      severity: "over_limit",
      telemetry: { inlet_c: 29, quality: { inlet_c: "stale" } },
    });
    expect(setpoints.pump_rpm_pct).toBeGreaterThanOrEqual(pump);
    expect(setpoints.routing_weight_pct).toBeLessThanOrEqual(routing);
    probes.top = () => ({ values: [23] });
    await pass(60);
    expect(seen).toMatchObject({
      severity: "none",
      telemetry: { inlet_c: 23, quality: { inlet_c: "good" } },
    });
  });

  it("whose top probe is dead from the start is cooled as a precaution", async () => {
    const { seen, setpoints, pass } = await guardedBy({ top: null, bottom: () => ({ values: [23] }) });
    await pass(60);
    expect(seen).toMatchObject({ severity: "blind", telemetry: { quality: { inlet_c: "suspect" } } });
    expect(setpoints.pump_rpm_pct).toBeGreaterThan(0);
  });

  it("and is told a cold inlet by a device that doubts it is blind, until the device believes in it", async () => {
    let suspect = true;
    const { seen, pass } = await guardedBy({ bmc: () => ({ values: [4], suspect }) });
    await pass(60);
    expect(seen).toMatchObject({ severity: "blind", telemetry: { inlet_c: 4 } });
    suspect = false;
    await pass(10);
    expect(seen.severity).toBe("none");
  });

  it("and is told a hot inlet by a device that doubts it is cooled as over its limit", async () => {
    const { seen, pass } = await guardedBy({ bmc: () => ({ values: [29], suspect: true }) });
    await pass(10);
    expect(seen.severity).toBe("over_limit");
  });

  it("for one reading of a window only is not blind", async () => {
    let second = 0;
    const severities = new Set<Severity>();
    const { seen, pass } = await guardedBy({
      bmc: () => ({ values: [22], suspect: second++ === 33 }),
    });
    for (let s = 0; s < 60; s++) {
      await pass(1);
      severities.add(seen.severity);
    }
    expect([...severities]).toEqual(["none"]);
  });
});
