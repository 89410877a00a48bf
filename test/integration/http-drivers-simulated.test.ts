import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver } from "../../agent/actuators/index.ts";
import { sensorDriver } from "../../agent/sensors/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { pace, systemClock } from "../../shared/time.ts";
import { DEVICE_LOGINS } from "../../sim/devices/serve.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { RACK, startDevices } from "./devices-harness.ts";

const log = createLog("test", "silent");
/** How much faster than time the rack and its agent run. */
const SPEED = 4;
/** Of the agent's time; plenty, because the network does not run faster. */
const timeout_s = 60;
const CHASSIS = "/redfish/v1/Chassis/1";
const CDU = "/redfish/v1/ThermalEquipment/CDUs/1";

/** A simulated rack, and the agent's devices over HTTP as an operator would configure them for it. */
async function rack() {
  const bench = await startDevices({ tls: true });
  const { redfish, prometheus } = bench.devices;
  const password = join(temporaryFolder(), "password");
  writeFileSync(password, `${DEVICE_LOGINS.redfish_password}\n`);
  const connection = {
    driver: "redfish",
    timeout_s,
    url: redfish.url,
    auth: { username: DEVICE_LOGINS.redfish_user, password: { file: password } },
    tls: { verify: false },
  };
  const scheduler = `${prometheus.url}/v1/scheduler/racks/${RACK}`;
  const setting = (target: string) => ({
    target,
    url: scheduler,
    method: "POST",
    body: { [target]: "{{value}}" },
    read_back: `/${target}`,
  });
  const config = AgentConfig.parse({
    rack_id: RACK,
    sensors: {
      devices: [
        { name: "bmc", ...connection, profiles: [{ profile: "chassis", uri: CHASSIS }] },
        { name: "cdu", ...connection, profiles: [{ profile: "cdu", uri: CDU }] },
        {
          name: "pages",
          driver: "prometheus",
          urls: [`${prometheus.url}/metrics`],
          profiles: ["vllm", "dcgm"],
        },
      ],
    },
    drives: [
      {
        name: "controls",
        ...connection,
        targets: [
          { target: "fan_rpm_pct", profile: "control", uri: `${CHASSIS}/Controls/FanSpeed` },
          { target: "pump_rpm_pct", profile: "speed", uri: `${CDU}/Pumps/1` },
          { target: "power_cap_kw", profile: "power_limit", uri: `${CHASSIS}/Power`, scale: 1000 },
        ],
      },
      {
        name: "scheduler",
        driver: "webhook",
        auth: { bearer: DEVICE_LOGINS.scheduler_token },
        targets: ["routing_weight_pct", "admission_pct", "batch_window_ms"].map(setting),
      },
    ],
  });
  return { ...bench, config };
}

describe("a simulated rack, by what it says over HTTP", () => {
  it("is read in all nine fields, as the plant has them", async () => {
    const { clock, config, plant } = await rack();
    const agent_clock = systemClock(SPEED, clock.now());
    onTestFinished(pace(clock, SPEED));
    const driver = sensorDriver(config.sensors, agent_clock, log);
    onTestFinished(() => driver.close());
    await driver.open();
    let before = await driver.read();
    const read = await eventually("every field has a value", async () => {
      const [last, now] = [before, await driver.read()];
      before = now;
      const complete = Object.values(now.values).every((value) => value !== null);
      return complete ? { ...now.values, span_ms: now.at_ms - last.at_ms } : null;
    });
    const truth = plant.truth(RACK);
    expect(read.pdu_kw! / truth.pdu_kw).toBeCloseTo(1, 0);
    // A rate over two polls is as wrong as the network is slow; a wrong unit would be wrong by much more.
    const gpu_share = read.gpu_energy_j! / read.span_ms / truth.gpu_kw;
    expect(gpu_share).toBeGreaterThan(0.1);
    expect(gpu_share).toBeLessThan(10);
    expect(read.tokens_ps).toBeGreaterThan(0);
    expect(read.outlet_c).toBeGreaterThan(read.inlet_c!);
  });

  it("takes every setpoint, and is given its own control back", async () => {
    const { clock, config } = await rack();
    const driver = actuatorDriver(config, clock, log);
    onTestFinished(() => driver.close());
    const gate = (target: (typeof driver.targets)[number], value: number | null) =>
      driveThroughGate(driver, config.actuators, { target, value, mode: "closed_loop" }, clock);
    const wanted = {
      fan_rpm_pct: 70,
      pump_rpm_pct: 60,
      routing_weight_pct: 80,
      admission_pct: 90,
      batch_window_ms: 20,
      power_cap_kw: 10,
    };
    for (const target of driver.targets) {
      const value = wanted[target];
      expect(await gate(target, value), target).toMatchObject({ outcome: "applied", from: null, now: value });
      expect(await gate(target, null), target).toMatchObject({ outcome: "applied", from: value, now: null });
    }
  });
});
