import { Command } from "commander";
import { createLog } from "../../shared/log.ts";
import { untilStopSignal } from "../../shared/process.ts";
import { readPublicKey } from "../../shared/signing.ts";
import { pace, virtualClock } from "../../shared/time.ts";
import { hallLayout } from "../demo/layout.ts";
import { createPlant } from "../plant/plant.ts";
import { scenarioPlayer } from "../site/scenario-player.ts";
import { createSite } from "../site/site.ts";
import { type SimFlags, simConfig, withSimOptions } from "./sim-config.ts";

interface RacksFlags extends SimFlags {
  broker?: string;
  publicKey?: string;
}

/** `skadi-sim racks`: simulated racks against an aggregator that runs elsewhere. */
export function racksCommand(): Command {
  return withSimOptions(new Command("racks"))
    .description("run simulated racks with their agents against a running aggregator")
    .option("--broker <url>", "the aggregator's MQTT broker")
    .option("--public-key <file>", "the site's public key; without it the agents accept no command")
    .action(racks);
}

async function racks(flags: RacksFlags): Promise<void> {
  const config = simConfig(flags, flags.broker ? { mqtt: { url: flags.broker } } : {});
  const log = createLog("skadi-sim", config.log.level);
  const clock = virtualClock(Date.now());
  const { rack_ids } = hallLayout(config.racks);
  const plant = createPlant({
    rack_ids,
    seed: config.seed,
    start_ms: clock.now(),
    start_hour: config.start_hour,
    season_k: config.season_k,
  });
  const public_key = flags.publicKey ? readPublicKey(flags.publicKey) : null;
  const site = createSite({ config, plant, clock, log, public_key });
  const player = scenarioPlayer({ site: config.site, mqtt: config.mqtt, plant, clock, log });
  const stopTime = pace(clock, config.speed);
  player.start();
  try {
    await site.start();
    if (!flags.json) {
      process.stdout.write(`${rack_ids.length} racks publish to ${config.mqtt.url}; Ctrl-C stops\n`);
    }
    await Promise.race([untilStopSignal(), over(flags.duration)]);
  } finally {
    await player.stop();
    await site.stop();
    stopTime();
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ racks: rack_ids.length, ...site.stats() })}\n`);
}

function over(duration_s: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (duration_s !== undefined) setTimeout(resolve, duration_s * 1000).unref();
  });
}
