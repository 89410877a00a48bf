import { type Aggregator, createAggregator } from "../../aggregator/aggregator.ts";
import { AggregatorConfig, type SimConfig } from "../../shared/contracts/config.ts";
import type { Log } from "../../shared/log.ts";
import { readPublicKey } from "../../shared/signing.ts";
import type { Clock } from "../../shared/time.ts";
import { createPlant } from "../plant/plant.ts";
import { scenarioPlayer } from "../site/scenario-player.ts";
import { createSite, type Site } from "../site/site.ts";
import { hallLayout } from "./layout.ts";

export interface Demo {
  readonly aggregator: Aggregator;
  readonly site: Site;
  start(): Promise<void>;
  /** Agents first, so that everything that they measured reaches the aggregator; then the rest. */
  stop(): Promise<void>;
}

/** A whole site in one process: aggregator with its broker, simulated racks with real agents, scenarios. */
export async function createDemo(options: { config: SimConfig; clock: Clock; log: Log }): Promise<Demo> {
  const { config, clock, log } = options;
  const { rows, racks_per_row, rack_ids } = hallLayout(config.racks);
  const aggregator = await createAggregator({
    config: AggregatorConfig.parse({
      site: config.site,
      rows,
      racks_per_row,
      mode: config.mode,
      data_dir: config.data_dir,
      broker: { port: config.mqtt_port },
      http: { port: config.http_port },
      log: config.log,
    }),
    clock,
    log,
  });
  await aggregator.start();
  const plant = createPlant({
    rack_ids,
    seed: config.seed,
    start_ms: clock.now(),
    start_hour: config.start_hour,
    season_k: config.season_k,
  });
  const connected = { ...config, mqtt: { url: aggregator.mqtt_url } };
  const public_key = readPublicKey(aggregator.public_key_file);
  const site = createSite({ config: connected, plant, clock, log, public_key });
  const player = scenarioPlayer({ site: config.site, mqtt: connected.mqtt, plant, clock, log });
  return {
    aggregator,
    site,
    async start() {
      player.start();
      await site.start();
    },
    async stop() {
      await player.stop();
      await site.stop();
      await aggregator.stop();
    },
  };
}
