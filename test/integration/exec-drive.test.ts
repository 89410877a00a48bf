import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver } from "../../agent/actuators/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { temporaryFolder } from "../support/temporary.ts";

const log = createLog("test", "silent");
const clock = systemClock();

/** A fan tray that is driven by a real command, which keeps its setpoint in a file. */
function fanTray(script = '[ "$1" = set ] && echo "$3" > fan || cat fan') {
  const folder = temporaryFolder();
  const command = join(folder, "drive.sh");
  writeFileSync(join(folder, "fan"), "auto\n");
  writeFileSync(command, `#!/bin/sh\ncd ${folder}\n${script}\n`, { mode: 0o755 });
  const config = AgentConfig.parse({
    rack_id: "R-A-01",
    actuators: { fan_rpm_pct: { fail_safe: 80 } },
    drives: [{ name: "tray", driver: "exec", command: [command], targets: [{ target: "fan_rpm_pct" }] }],
  });
  const driver = actuatorDriver(config, clock, log);
  const gate = (value: number | null) =>
    driveThroughGate(driver, config.actuators, { target: "fan_rpm_pct", value, mode: "closed_loop" }, clock);
  return { driver, gate, fan: () => readFileSync(join(folder, "fan"), "utf8").trim() };
}

describe("a fan driven by a command", () => {
  it("is set, read back and handed back", async () => {
    const { gate, fan } = fanTray();
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: null, now: 70 });
    expect(fan()).toBe("70");
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 70, now: null });
    expect(fan()).toBe("auto");
  });

  it("is not told anything outside its limits", async () => {
    const { gate, fan } = fanTray();
    expect(await gate(101)).toMatchObject({ outcome: "refused", rejection: { code: "SKADI_LIMIT" } });
    expect(fan()).toBe("auto");
  });

  it("that does not obey is found out by the read-back", async () => {
    const { gate } = fanTray('[ "$1" = set ] || cat fan');
    expect(await gate(70)).toMatchObject({ outcome: "refused", now: null });
  });

  it("is raised to its fail-safe speed when the agent leaves, and left alone under its own control", async () => {
    const { driver, gate, fan } = fanTray();
    await driver.failSafe();
    expect(fan()).toBe("auto");
    await gate(70);
    await driver.failSafe();
    expect(fan()).toBe("80");
  });

  it("whose command fails is reported with the reason", async () => {
    const { gate, driver } = fanTray("echo no bus >&2; exit 3");
    const { outcome, rejection } = await gate(70);
    expect(outcome).toBe("refused");
    expect(rejection?.message).toContain("drive.sh");
    await expect(driver.failSafe()).rejects.toThrow("fan_rpm_pct");
  });
});
