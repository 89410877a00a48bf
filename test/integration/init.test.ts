import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../shared/config-file.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { pace, virtualClock } from "../../shared/time.ts";
import { DEVICE_LOGINS, serveRackDevices } from "../../sim/devices/serve.ts";
import { createPlant } from "../../sim/plant/plant.ts";
import { runProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary.ts";

const RACK = "R-C-07";

/** A rack's devices on the network, and a folder in which its agent is to be set up. */
async function rack() {
  const clock = virtualClock(Date.now());
  const plant = createPlant({ rack_ids: [RACK], seed: 7, start_ms: clock.now() });
  const log = createLog("test", "silent");
  const devices = await serveRackDevices({ plant, rack_id: RACK, clock, log });
  const stop = pace(clock, 1);
  onTestFinished(async () => {
    stop();
    await devices.close();
  });
  const folder = temporaryFolder();
  const password = join(folder, "password");
  writeFileSync(password, `${DEVICE_LOGINS.redfish_password}\n`);
  return { devices, password, out: join(folder, "agent.yaml") };
}

const init = (...args: string[]) => runProgram("agent", ["init", ...args, "--no-host", "--json"]);

describe("skadi-agent init", () => {
  it("given PDU, BMC and metrics page, writes a configuration that reads the whole rack and drives nothing", async () => {
    const { devices, password, out } = await rack();
    const { code, stdout } = await init(
      ...["--rack-id", RACK, "--out", out, "--metrics", `${devices.prometheus.url}/metrics`],
      ...["--snmp", devices.host, "--snmp-port", String(devices.snmp.port)],
      ...["--redfish", devices.redfish.url, "--redfish-user", DEVICE_LOGINS.redfish_user],
      ...["--redfish-password-file", password],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout).found.sort()).toEqual([
      "fan_rpm_pct",
      "gpu_energy_j",
      "inlet_c",
      "latency_p95_ms",
      "outlet_c",
      "pdu_kw",
      "pump_rpm_pct",
      "queue_depth",
      "tokens_ps",
    ]);
    const text = readFileSync(out, "utf8");
    expect(text).toContain("# SNMP PDU");
    expect(text).not.toContain(DEVICE_LOGINS.redfish_password);
    expect(loadConfig(AgentConfig, { file: out, env: {} })).toMatchObject({ mode: "advisory", drives: [] });
    const read = await runProgram("agent", ["sensors", "--config", out, "--json"]);
    const values = JSON.parse(read.stdout);
    expect(Object.values(values).filter((value) => value === null)).toEqual([]);
  }, 60_000);

  it("says what did not answer, and names in the file what is not measured", async () => {
    const { out } = await rack();
    const { code, stdout } = await init("--rack-id", RACK, "--out", out, "--metrics", "http://127.0.0.1:9/");
    expect(code).toBe(0);
    const { notes, devices } = JSON.parse(stdout);
    expect(devices).toBe(0);
    expect(notes[0]).toMatchObject({ found: [], problem: expect.stringContaining("127.0.0.1:9") });
    expect(readFileSync(out, "utf8")).toContain("Nothing was found for: inlet_c");
  }, 30_000);

  it("overwrites nothing unasked, and names a rack that is none", async () => {
    const { out } = await rack();
    writeFileSync(out, "rack_id: R-A-01\n");
    const kept = await init("--rack-id", RACK, "--out", out);
    expect(kept.code).toBe(2);
    expect(kept.stderr).toContain("--force");
    expect(readFileSync(out, "utf8")).toBe("rack_id: R-A-01\n");
    const wrong = await init("--rack-id", "seven", "--out", out, "--force");
    expect(wrong.stderr).toContain("rack_id");
  }, 30_000);
});
