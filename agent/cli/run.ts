import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog, type Log } from "../../shared/log.ts";
import { untilStopSignal } from "../../shared/process.ts";
import { readPublicKey } from "../../shared/signing.ts";
import { systemClock } from "../../shared/time.ts";
import { actuatorDriver } from "../actuators/index.ts";
import { type Agent, createAgent } from "../agent.ts";
import { modelFiles } from "../models/cache.ts";
import { noObserver, type Observer } from "../observer.ts";
import { sensorDriver } from "../sensors/index.ts";
import { noWatchdog, systemdWatchdog } from "../watchdog.ts";
import { agentConfig, type ConfigFlag } from "./config.ts";

/** `skadi-agent run`: until a signal says stop. */
export async function run(flags: ConfigFlag & { dryRun?: boolean }): Promise<void> {
  const config = agentConfig(flags);
  if (!flags.dryRun) return runUntilStopped(config);
  const folder = mkdtempSync(join(tmpdir(), "skadi-dry-run-"));
  try {
    await runUntilStopped(dryRunConfig(config, folder), true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The same agent, but advisory whatever was ordered, with a memory of its own that is thrown away, and with every tick
 * in the log.
 */
function dryRunConfig(config: AgentConfig, folder: string): AgentConfig {
  const copy: AgentConfig = {
    ...config,
    mode: "advisory",
    model: { ...config.model, cache_dir: folder },
    uplink: { ...config.uplink, store: "memory" },
    log: { level: "debug" },
  };
  const known = Object.values(modelFiles(config));
  for (const [i, file] of Object.values(modelFiles(copy)).entries())
    if (existsSync(known[i]!)) cpSync(known[i]!, file);
  return copy;
}

async function runUntilStopped(config: AgentConfig, dry_run = false): Promise<void> {
  const clock = systemClock();
  const log = createLog("skadi-agent", config.log.level);
  const { public_key_file } = config.trust;
  const service = { env: process.env, pid: process.pid, tick_ms: config.loop.score_s * 1000, clock, log };
  const metrics = await openMetrics(config, log, () => agent);
  const agent: Agent = createAgent({
    config,
    clock,
    log,
    sensors: sensorDriver(config.sensors, clock, log),
    actuators: actuatorDriver(config, clock, log),
    public_key: public_key_file ? readPublicKey(public_key_file) : null,
    offline: dry_run,
    watchdog: dry_run ? noWatchdog : systemdWatchdog(service),
    observer: metrics.observer,
  });
  await agent.start();
  await untilStopSignal();
  await metrics.close();
  await agent.stop();
}

interface OpenMetrics {
  observer: Observer;
  close(): Promise<void>;
}

/** Loaded only where it is configured: the page takes a few megabytes of a small program. */
async function openMetrics(config: AgentConfig, log: Log, agent: () => Agent): Promise<OpenMetrics> {
  const { host, port } = config.metrics;
  if (port === undefined) return { observer: noObserver, close: async () => {} };
  const [{ agentMetrics }, { serveMetrics }] = await Promise.all([
    import("../metrics/agent-metrics.ts"),
    import("../metrics/server.ts"),
  ]);
  const { page, observer } = agentMetrics({ config, agent });
  return { observer, ...serveMetrics({ host, port, page, log }) };
}
