import { Command } from "commander";
import type { AgentStats } from "../../agent/agent.ts";
import { integerOption } from "../../shared/cli.ts";
import type { SimConfig } from "../../shared/contracts/config.ts";
import { skadiError } from "../../shared/errors.ts";
import { createLog, type Log } from "../../shared/log.ts";
import { untilStopSignal } from "../../shared/process.ts";
import { pace, virtualClock } from "../../shared/time.ts";
import { createDemo, type Demo } from "../demo/demo.ts";
import { ensureModel } from "../demo/ensure-model.ts";
import { hallLayout } from "../demo/layout.ts";
import { fetchOverview, type Overview } from "../demo/overview.ts";
import { statusScreen } from "../demo/status-screen.ts";
import { type SimFlags, simConfig, withSimOptions } from "./sim-config.ts";

const REFRESH_MS = 1_000;

interface DemoFlags extends SimFlags {
  port?: number;
  mqttPort?: number;
  dataDir?: string;
}

/** `skadi-sim demo`: everything in one process. */
export function demoCommand(): Command {
  return withSimOptions(new Command("demo"))
    .description("run a whole site in one process: aggregator, broker, racks with their agents, scenarios")
    .option("--port <n>", "HTTP port", integerOption(0, 65_535))
    .option("--mqtt-port <n>", "MQTT port", integerOption(0, 65_535))
    .option("--data-dir <folder>", "where models, keys and history are kept")
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const config = simConfig(flags, {
    http_port: flags.port,
    mqtt_port: flags.mqttPort,
    data_dir: flags.dataDir,
  });
  const say = (text: string) => {
    if (!flags.json) process.stdout.write(`${text}\n`);
  };
  let errors = 0;
  const log = createLog("skadi-demo", config.log.level, { onError: () => errors++ });
  const { rows, rack_ids } = hallLayout(config.racks);
  say(`Skadi demo  ${rack_ids.length} racks in ${rows.length} rows, speed ${config.speed}`);
  const start_ms = Date.now();
  await ensureModel(config, rack_ids, start_ms, say);
  const clock = virtualClock(Date.now());
  const running = await createDemo({ config, clock, log });
  const stopTime = pace(clock, config.speed);
  let last: Overview;
  let seconds: number;
  try {
    if (flags.mode) await setMode(running.aggregator, flags.mode);
    const { mode } = await fetchOverview(running.aggregator.http_url);
    introduce(running, config, mode, say);
    await running.start();
    const started_ms = clock.now();
    const elapsed_s = () => (clock.now() - started_ms) / 1000;
    last = await watch(running, elapsed_s, flags, log);
    seconds = elapsed_s();
  } finally {
    await running.stop();
    stopTime();
  }
  const summary = summarise(running, config, last, seconds, errors);
  if (flags.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else
    say(
      `Stopped after ${seconds.toFixed(0)} simulated s: ${summary.scores} scores, ${summary.lost} lost, ${summary.errors} errors`,
    );
  if (summary.lost > 0 || summary.errors > 0) process.exitCode = 1;
}

/** The mode outlives a restart, so an explicit wish is made known as any operator would. */
async function setMode({ http_url, api_token }: Demo["aggregator"], mode: string): Promise<void> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${api_token}` };
  const response = await fetch(`${http_url}/mode`, {
    method: "POST",
    headers,
    body: JSON.stringify({ mode }),
  });
  if (!response.ok)
    throw skadiError("SKADI_CONFLICT", { field: "--mode", value: mode, expected: await response.text() });
}

function introduce({ aggregator }: Demo, config: SimConfig, mode: string, say: (text: string) => void): void {
  const { http_url, mqtt_url, api_token } = aggregator;
  say(`Aggregator  ${http_url}  (dashboard; API documentation at ${http_url}/docs)`);
  say(`Broker      ${mqtt_url}  (embedded; topics skadi/v1/${config.site}/<rack>/…)`);
  say(`Racks       ${config.racks} agents, each with its own MQTT connection, on one simulated plant`);
  say(
    `Mode        ${mode}${mode === "advisory" ? ": Skadi advises and drives nothing" : ": Skadi drives the simulated racks"}`,
  );
  say(`Token       ${api_token}  (for POST /mode, /actions/apply, …)`);
  say(`Try         curl -X POST ${http_url}/demo/scenario -H 'content-type: application/json' \\`);
  say(`              -d '{"scenario":"heat_spike","duration_minutes":5}'`);
}

/** Shows the status until the time is over or someone stops it; returns the last overview. */
async function watch(running: Demo, elapsed_s: () => number, flags: DemoFlags, log: Log): Promise<Overview> {
  const screen = flags.json ? null : statusScreen(process.stdout);
  const timers: NodeJS.Timeout[] = [];
  const over = new Promise<void>((resolve) => {
    if (flags.duration !== undefined) timers.push(setTimeout(resolve, flags.duration * 1000));
  });
  const { http_url } = running.aggregator;
  timers.push(
    setInterval(() => {
      fetchOverview(http_url).then(
        (overview) => screen?.show(overview, running.site.stats(), elapsed_s()),
        (error) => log.error({ event: "no_overview", err: error }),
      );
    }, REFRESH_MS),
  );
  await Promise.race([over, untilStopSignal()]);
  for (const timer of timers) clearTimeout(timer);
  screen?.done();
  return fetchOverview(http_url);
}

function summarise(
  { aggregator, site }: Demo,
  config: SimConfig,
  last: Overview,
  seconds: number,
  errors: number,
) {
  const stats: AgentStats = site.stats();
  const counters = aggregator.counters();
  // Every sample and every score that an agent made must have reached the aggregator.
  const lost =
    stats.samples_sent - counters.accepted + (stats.scores - counters.scores_agent) + stats.dropped;
  return {
    racks: last.racks.online,
    simulated_s: Math.round(seconds),
    speed: config.speed,
    mode: last.mode,
    model_id: last.model_id,
    samples: stats.samples_sent,
    scores: stats.scores,
    messages: stats.published,
    lost,
    duplicates: counters.duplicates,
    late_ticks: stats.late_ticks,
    errors: errors + counters.rejected_total + stats.sensor_errors,
    actions: last.actions,
    nominal: last.racks.nominal,
    transient: last.racks.transient,
    persistent: last.racks.persistent,
    wh_per_prompt: last.kpis.wh_per_prompt,
  };
}
