import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { type Agent, type AgentStats, createAgent } from "../../agent/agent.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { SimConfig } from "../../shared/contracts/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { Plant } from "../plant/plant.ts";
import { runPlant } from "../plant/run.ts";
import { simulatedActuators, simulatedSensors } from "./rack.ts";

/** Connecting agents one after another in small groups spares the broker a stampede. */
const START_GROUP = 24;

export interface SiteOptions {
  config: SimConfig;
  plant: Plant;
  clock: Clock;
  log: Log;
  public_key: KeyObject | null;
}

/** Simulated racks: one plant, and one real agent with its own MQTT connection per rack. */
export interface Site {
  readonly plant: Plant;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Summed over the agents. */
  stats(): AgentStats;
}

export function createSite(options: SiteOptions): Site {
  const { config, plant, clock } = options;
  const agents = plant.rack_ids.map((rack_id) => agentOf(rack_id, options));
  let stopPlant = () => {};
  return {
    plant,
    async start() {
      stopPlant = runPlant(plant, clock);
      for (let i = 0; i < agents.length; i += START_GROUP) {
        await Promise.all(agents.slice(i, i + START_GROUP).map((agent) => agent.start()));
      }
    },
    async stop() {
      await Promise.all(agents.map((agent) => agent.stop()));
      stopPlant();
    },
    stats: () => agents.map((agent) => agent.stats()).reduce(addStats),
  };

  function agentOf(rack_id: string, { log, public_key }: SiteOptions): Agent {
    const agent_config = AgentConfig.parse({
      site: config.site,
      rack_id,
      mode: config.mode,
      mqtt: config.mqtt,
      model: { cache_dir: join(config.data_dir, "agents") },
      uplink: { store: "memory", outbox_max: 20_000 },
    });
    return createAgent({
      config: agent_config,
      clock,
      log: log.child({ rack_id }),
      sensors: simulatedSensors(plant, rack_id),
      actuators: simulatedActuators(plant, rack_id),
      public_key,
    });
  }
}

function addStats(a: AgentStats, b: AgentStats): AgentStats {
  const sum = { ...a };
  for (const key of Object.keys(sum) as (keyof AgentStats)[]) sum[key] += b[key];
  return sum;
}
