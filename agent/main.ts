#!/usr/bin/env node
import { readFileSync } from "node:fs";
import Table from "cli-table3";
import { Command } from "commander";
import mqtt from "mqtt";
import { numberOption, runCli } from "../shared/cli.ts";
import { loadConfig } from "../shared/config-file.ts";
import { AgentConfig } from "../shared/contracts/config.ts";
import { parsePayload } from "../shared/contracts/parse.ts";
import { MEASURED_FIELDS, TelemetrySample } from "../shared/contracts/telemetry.ts";
import { SkadiError, skadiError } from "../shared/errors.ts";
import { believed } from "../shared/ims/believed.ts";
import { readModelFile } from "../shared/ims/model-file.ts";
import { createScorer, scoreTelemetry, topContributions } from "../shared/ims/score.ts";
import { createLog } from "../shared/log.ts";
import { untilStopSignal } from "../shared/process.ts";
import { readPublicKey } from "../shared/signing.ts";
import { systemClock } from "../shared/time.ts";
import { packageVersion } from "../shared/version.ts";
import { actuatorDriver } from "./actuators/index.ts";
import { createAgent } from "./agent.ts";
import { explain } from "./commands-cli/explain.ts";
import { failSafe } from "./commands-cli/fail-safe.ts";
import { sensorDriver } from "./sensors/index.ts";
import { systemdWatchdog } from "./watchdog.ts";

const CONNECT_TIMEOUT_MS = 5_000;

interface Flags {
  config?: string;
  json?: boolean;
}

const program = new Command("skadi-agent")
  .description("Skadi's agent: reads one rack's sensors, scores them, guards the rack, publishes over MQTT")
  .version(packageVersion());

program
  .command("run")
  .description("run until stopped")
  .option("--config <file>", "agent configuration (default: config/agent.yaml if it exists)")
  .action(run);
program
  .command("check")
  .description("check the configuration and that sensors, model and broker can be reached")
  .option("--config <file>", "agent configuration")
  .option("--json", "print the result as JSON")
  .action(check);
program
  .command("sensors")
  .description("read the sensors once and print the values")
  .option("--config <file>", "agent configuration")
  .option("--json", "print the values as JSON")
  .action(sensors);
program
  .command("explain")
  .description("tell why the guardrail decided as it did, and decide it again")
  .argument("<id>", "the id of an action or a decision, from the action log")
  .option("--config <file>", "agent configuration")
  .option("--json", "print the decision and its replay as JSON")
  .action((id: string, flags: Flags) => explain(configOf(flags), id, flags));
program
  .command("fail-safe")
  .description("leave every driven target at least as cool as it is, after the agent ended")
  .option("--config <file>", "agent configuration")
  .option("--json", "print what was driven as JSON")
  .option("--timeout-s <seconds>", "give up after this long", numberOption(0.1, 3_600), 20)
  .action((flags: Flags & { timeoutS: number }) => failSafe(configOf(flags), flags));
program
  .command("score")
  .description("score one telemetry sample (JSON) against a model file")
  .requiredOption("--model <file>", "model file")
  .option("--sample <file>", "the sample; - reads standard input", "-")
  .option("--json", "print the score as JSON")
  .action(score);

await runCli(program, process.argv);

function configOf(flags: Flags): AgentConfig {
  return loadConfig(AgentConfig, { file: flags.config, fallback: "config/agent.yaml" });
}

async function run(flags: Flags): Promise<void> {
  const config = configOf(flags);
  const clock = systemClock();
  const log = createLog("skadi-agent", config.log.level);
  const { public_key_file } = config.trust;
  const agent = createAgent({
    config,
    clock,
    log,
    sensors: sensorDriver(config.sensors, clock, log),
    actuators: actuatorDriver(config, clock, log),
    public_key: public_key_file ? readPublicKey(public_key_file) : null,
    watchdog: systemdWatchdog({
      env: process.env,
      pid: process.pid,
      tick_ms: config.loop.score_s * 1000,
      clock,
      log,
    }),
  });
  await agent.start();
  await untilStopSignal();
  await agent.stop();
}

interface CheckResult {
  what: string;
  ok: boolean;
  detail: string;
  ms: number;
}

async function check(flags: Flags): Promise<void> {
  const config = configOf(flags);
  const results = [
    await timed("sensors", async () => {
      const driver = sensorDriver(config.sensors, systemClock(), createLog("skadi-agent", "error"));
      await driver.open();
      const { values } = await driver.read();
      await driver.close();
      const silent = MEASURED_FIELDS.filter((field) => values[field] === null);
      return silent.length === 0
        ? `${driver.name}: all fields`
        : `${driver.name}: missing ${silent.join(", ")}`;
    }),
    await timed("broker", async () => {
      const { url, username, password } = config.mqtt;
      const credentials = { ...(username ? { username } : {}), ...(password ? { password } : {}) };
      const options = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectPeriod: 0, ...credentials };
      const client = await mqtt.connectAsync(url, options, false);
      await client.endAsync();
      return url;
    }),
    await timed("model", async () => {
      if (!config.model.file) return "none configured: the agent waits for one over MQTT";
      const model = readModelFile(config.model.file);
      if (!model.ok) throw new SkadiError(model.rejections);
      return model.value.id;
    }),
    await timed("trust", async () => {
      if (!config.trust.public_key_file) return "no public key: every command is refused";
      readPublicKey(config.trust.public_key_file);
      return config.trust.public_key_file;
    }),
  ];
  if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else {
    const table = new Table({ head: ["what", "result", "detail", "ms"], style: { head: [], border: [] } });
    for (const r of results) table.push([r.what, r.ok ? "ok" : "FAILED", r.detail, r.ms.toFixed(0)]);
    process.stdout.write(`${table.toString()}\n`);
  }
  if (results.some((r) => !r.ok)) process.exitCode = 1;
}

async function timed(what: string, test: () => Promise<string>): Promise<CheckResult> {
  const started = performance.now();
  try {
    return { what, ok: true, detail: await test(), ms: performance.now() - started };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { what, ok: false, detail, ms: performance.now() - started };
  }
}

async function sensors(flags: Flags): Promise<void> {
  const log = createLog("skadi-agent", "error");
  const driver = sensorDriver(configOf(flags).sensors, systemClock(), log);
  await driver.open();
  const { values } = await driver.read();
  await driver.close();
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(values)}\n`);
    return;
  }
  for (const field of MEASURED_FIELDS)
    process.stdout.write(`${field.padEnd(16)} ${values[field] ?? "missing"}\n`);
}

async function score(flags: { model: string; sample: string; json?: boolean }): Promise<void> {
  const model = readModelFile(flags.model);
  if (!model.ok) throw new SkadiError(model.rejections);
  const sample = parsePayload(TelemetrySample, readFileSync(flags.sample === "-" ? 0 : flags.sample));
  if (!sample.ok) throw new SkadiError(sample.rejections);
  const result = scoreTelemetry(createScorer(model.value), believed(sample.value), "agent");
  if (!result)
    throw skadiError("SKADI_INVALID_FIELD", { field: "(payload)", expected: "at least one feature" });
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const why = topContributions(result.contributions, 3)
    .map((c) => `${c.feature} ${(100 * c.share).toFixed(0)} %`)
    .join(", ");
  process.stdout.write(
    `${result.rack_id}: D ${result.d.toFixed(3)} (${result.state}; tau_fast ${result.tau_fast.toFixed(3)}, tau_persist ${result.tau_persist.toFixed(3)})\n  because of ${why}\n`,
  );
}
