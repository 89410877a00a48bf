import { Command } from "commander";
import { createLog } from "../shared/log.ts";
import { untilStopSignal } from "../shared/process.ts";
import { systemClock } from "../shared/time.ts";
import { readConfig } from "./cli-config.ts";

/** `skadi-aggregator run`: until SIGINT or SIGTERM. */
export function runCommand(): Command {
  return new Command("run")
    .description("run the aggregator until it is told to stop (Ctrl-C, SIGTERM)")
    .option("--config <file>", "configuration (default: config/aggregator.yaml)")
    .option("--json", "print the addresses as one JSON line once it runs")
    .action(run);
}

async function run(flags: { config?: string; json?: boolean }): Promise<void> {
  const config = readConfig(flags.config);
  const log = createLog("skadi-aggregator", config.log.level);
  // Loaded here so that the other commands start without server, broker and database.
  const { createAggregator } = await import("./aggregator.ts");
  const aggregator = await createAggregator({ config, clock: systemClock(), log });
  await aggregator.start();
  const { http_url, mqtt_url, public_key_file } = aggregator;
  const addresses = { http_url, mqtt_url, public_key_file, data_dir: config.data_dir };
  const lines = [
    `Skadi aggregator of site ${config.site}`,
    `  dashboard    ${http_url}/`,
    `  API          ${http_url}/docs`,
    `  MQTT         ${mqtt_url}`,
    `  site key     ${public_key_file}`,
  ];
  process.stdout.write(`${flags.json ? JSON.stringify(addresses) : lines.join("\n")}\n`);
  await untilStopSignal();
  log.info("stopping");
  await aggregator.stop();
}
