import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { testBroker } from "../support/broker.ts";
import { eventually } from "../support/eventually.ts";
import { smallModel } from "../support/models.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { NOMINAL_READING } from "../support/readings.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** An agent installed on a host: its sensors are a script, its model a file. */
function install(options: { mqtt_url?: string; reading?: object } = {}) {
  const folder = temporaryFolder();
  const script = join(folder, "read-sensors.sh");
  writeFileSync(script, `#!/bin/sh\necho '${JSON.stringify(options.reading ?? NOMINAL_READING)}'\n`, {
    mode: 0o755,
  });
  const model = join(folder, "model.json");
  writeModelFile(model, smallModel());
  const config = join(folder, "agent.yaml");
  const settings = {
    rack_id: "R-B-03",
    sensors: { devices: [{ name: "script", driver: "exec", command: [script], poll_s: 0.2 }] },
    drives: [
      {
        name: "tray",
        driver: "exec",
        command: ["/bin/sh", "-c", "echo auto"],
        targets: [{ target: "fan_rpm_pct" }],
      },
    ],
    mqtt: { url: options.mqtt_url ?? "mqtt://127.0.0.1:1" },
    model: { file: model, cache_dir: folder },
    loop: { sample_s: 0.2, score_s: 1 },
  };
  writeFileSync(config, JSON.stringify(settings));
  return { config, model, folder };
}

describe("skadi-agent", () => {
  it("run reads a real command, scores and publishes", async () => {
    const broker = await testBroker();
    onTestFinished(() => broker.close());
    const client = await mqtt.connectAsync(broker.url);
    onTestFinished(() => client.endAsync(true));
    const scores: { rack_id: string; state: string }[] = [];
    client.on("message", (_topic, payload) => scores.push(JSON.parse(payload.toString())));
    await client.subscribeAsync("skadi/v1/dc1/R-B-03/score");
    const agent = startProgram("agent", ["run", "--config", install({ mqtt_url: broker.url }).config]);
    await eventually("two scores", () => scores.length >= 2, 20_000);
    expect(scores[0]).toMatchObject({ rack_id: "R-B-03", scored_by: "agent" });
    agent.process.kill("SIGTERM");
    expect(await agent.exit()).toBe(0);
  }, 40_000);

  it("run --dry-run shows every tick and drives, publishes and keeps nothing", async () => {
    const broker = await testBroker();
    onTestFinished(() => broker.close());
    const published: string[] = [];
    broker.onPublish((topic) => published.push(topic));
    const { config, folder } = install({
      mqtt_url: broker.url,
      reading: { ...NOMINAL_READING, inlet_c: 29 },
    });
    const before = readdirSync(folder);
    const agent = startProgram("agent", ["run", "--dry-run", "--config", config], {
      SKADI_MODE: "closed_loop",
    });
    await eventually(
      "a decision",
      () => /"event":"action".*"outcome":"advised"/.test(agent.stderr()),
      20_000,
    );
    expect(agent.stderr()).toMatch(/"event":"tick","severity":"over_limit"/);
    agent.process.kill("SIGTERM");
    expect(await agent.exit()).toBe(0);
    expect(published).toEqual([]);
    expect(readdirSync(folder)).toEqual(before);
  }, 40_000);

  it("check says what works and what does not, and fails if anything does not", async () => {
    const { code, stdout } = await runProgram("agent", ["check", "--config", install().config, "--json"]);
    expect(code).toBe(1);
    const results = JSON.parse(stdout);
    expect(results).toMatchObject([
      { what: "sensor script", ok: true },
      { what: "drive tray", ok: true, detail: "exec: fan_rpm_pct auto" },
      { what: "broker", ok: false },
      { what: "model", ok: true },
      { what: "health", ok: true },
      { what: "trust", ok: true },
      { what: "state", ok: true },
    ]);
    expect(results[2].detail).toContain("ECONNREFUSED");
  });

  it("sensors prints the values, and names what is missing", async () => {
    const { config } = install({ reading: { inlet_c: 22.5 } });
    const { stdout } = await runProgram("agent", ["sensors", "--config", config]);
    expect(stdout).toMatch(/inlet_c\s+22.5\noutlet_c\s+missing/);
    const json = await runProgram("agent", ["sensors", "--config", config, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ inlet_c: 22.5, outlet_c: null, quality: {} });
  });

  it("score judges one sample from standard input and says why", async () => {
    const { model } = install();
    const sample = {
      ts: "2026-01-01T00:00:00Z",
      rack_id: "R-B-03",
      ...NOMINAL_READING,
      gpu_energy_j: 28_000,
      inlet_c: 29,
    };
    const { stdout } = await runProgram("agent", ["score", "--model", model], {
      stdin: JSON.stringify(sample),
    });
    expect(stdout).toMatch(/R-B-03: D \d+\.\d+ \(persist;/);
    expect(stdout).toMatch(/because of inlet_c \d+ %/);
  });

  it("names every wrong field of its configuration at once and exits with 2", async () => {
    const { folder } = install();
    const config = join(folder, "wrong.yaml");
    writeFileSync(config, "rack_id: seven\nmode: maybe\nloop: { sample_s: 0 }\n");
    const { code, stderr } = await runProgram("agent", ["run", "--config", config]);
    expect(code).toBe(2);
    for (const field of ["rack_id", "mode", "loop.sample_s"]) expect(stderr).toContain(`field ${field}`);
  });
});
