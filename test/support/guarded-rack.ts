import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { pace, virtualClock } from "../../shared/time.ts";
import { DEVICE_LOGINS, type RackDevices, serveRackDevices } from "../../sim/devices/serve.ts";
import { createPlant, type Plant } from "../../sim/plant/plant.ts";
import { trainPlantModel } from "../../sim/site/plant-model.ts";

const RACK = "R-C-07";
const ROW = Array.from({ length: 12 }, (_, i) => `R-C-${String(i + 1).padStart(2, "0")}`);
/** Simulated seconds in one real one: a story of twenty minutes takes one. */
const SPEED = 20;

const TROUBLED_MS = 600_000;

export interface GuardedRack {
  /** What the agent logged so far, one object per event. */
  events(): Record<string, unknown>[];
  inlet_c(): number;
  close(): Promise<void>;
}

/**
 * One rack whose devices are reached over real protocols only, guarded by an agent program that runs in closed loop.
 * There is no broker: nothing listens where the agent would publish.
 *
 * @param program the agent's command line, to which `run --config …` is added
 * @param trouble what goes wrong with the rack ten minutes before the agent is started
 */
export async function guardedRack(
  program: readonly string[],
  folder: string,
  trouble: (plant: Plant) => void,
): Promise<GuardedRack> {
  const start_ms = Date.parse("2026-03-02T14:00:00Z");
  const clock = virtualClock(start_ms);
  const model = await trainPlantModel({
    rack_ids: ROW,
    seed: 7,
    hours: 12,
    end_ms: start_ms,
    onProgress() {},
  });
  mkdirSync(folder, { recursive: true });
  writeModelFile(join(folder, "model.json"), model);
  const plant = createPlant({ rack_ids: ROW, seed: 7, start_ms });
  const devices = await serveRackDevices({
    plant,
    rack_id: RACK,
    clock,
    log: createLog("devices", "silent"),
  });
  trouble(plant);
  clock.advance(TROUBLED_MS);
  const stopTime = pace(clock, SPEED);
  const config = join(folder, "agent.yaml");
  writeFileSync(config, JSON.stringify(settings(devices, folder)));
  const { child, events } = startAgent([...program, "run", "--config", config]);
  return {
    events,
    inlet_c: () => plant.truth(RACK).inlet_c,
    async close() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
      stopTime();
      await devices.close();
    },
  };
}

function startAgent([program = "", ...args]: readonly string[]) {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const events = () =>
    text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, events };
}

/** Five kinds of devices are read, four targets are driven; times are short because simulated time is fast. */
function settings({ snmp, modbus, redfish, prometheus }: RackDevices, folder: string) {
  const local = { host: "127.0.0.1" };
  const bmc = {
    driver: "redfish",
    url: redfish.url,
    auth: { username: DEVICE_LOGINS.redfish_user, password: DEVICE_LOGINS.redfish_password },
  };
  const scheduler = { url: `${prometheus.url}/v1/scheduler/racks/${RACK}`, method: "POST" };
  const shares = ["routing_weight_pct", "admission_pct"] as const;
  return {
    rack_id: RACK,
    mode: "closed_loop",
    mqtt: { url: "mqtt://127.0.0.1:1" },
    loop: { sample_s: 0.25, score_s: 0.5 },
    guardrail: { action_spacing_s: 3, release_after_s: 60 },
    model: { file: join(folder, "model.json"), cache_dir: join(folder, "state") },
    sensors: {
      devices: [
        { name: "pdu", driver: "snmp", ...local, port: snmp.port, community: "public", profile: "apc_rpdu2" },
        {
          ...{ name: "cdu", driver: "modbus", ...local, port: modbus.port, unit_id: modbus.unit_id },
          points: [{ field: "pump_rpm_pct", table: "input", address: 0, scale: 0.1 }],
          poll_s: 0.25,
        },
        {
          ...{ name: "bmc", ...bmc, poll_s: 0.25 },
          profiles: [
            {
              profile: "chassis",
              uri: "/redfish/v1/Chassis/1",
              fields: ["inlet_c", "outlet_c", "fan_rpm_pct"],
            },
          ],
        },
        {
          ...{ name: "inference", driver: "prometheus", urls: [`${prometheus.url}/metrics`], poll_s: 0.5 },
          profiles: ["dcgm_power"],
          points: [
            // Simulated tokens come faster than real ones.
            { field: "tokens_ps", metric: "vllm:generation_tokens_total", unit: "total", scale: 1 / SPEED },
            {
              field: "latency_p95_ms",
              metric: "vllm:e2e_request_latency_seconds",
              unit: "second",
              quantile: 0.95,
              window_s: 3,
            },
          ],
        },
        {
          ...{ name: "queue", driver: "exec", fields: ["queue_depth"] },
          command: [
            "/bin/sh",
            "-c",
            `printf '{"queue_depth":%s}' "$(curl -s ${prometheus.url}/metrics | sed -n 's/^vllm:num_requests_waiting.* //p')"`,
          ],
        },
      ],
    },
    drives: [
      {
        ...{ name: "bmc-fans", ...bmc },
        targets: [
          { target: "fan_rpm_pct", uri: "/redfish/v1/Chassis/1/Controls/FanSpeed", profile: "control" },
        ],
      },
      {
        ...{ name: "cdu-pump", driver: "modbus", ...local, port: modbus.port, unit_id: modbus.unit_id },
        targets: [
          {
            ...{ target: "pump_rpm_pct", address: 1, type: "uint16", scale: 10 },
            auto: { table: "holding", address: 0, automatic: 0, manual: 1 },
          },
        ],
      },
      {
        ...{ name: "scheduler", driver: "webhook", auth: { bearer: DEVICE_LOGINS.scheduler_token } },
        targets: shares.map((target) => ({
          ...{ target, ...scheduler, body: { [target]: "{{value}}" }, read_back: `/${target}` },
        })),
      },
    ],
  };
}
