import type { Log } from "../../shared/log.ts";
import { isOnline } from "../fleet.ts";
import { siteKpis } from "../overview.ts";
import { type HomeAssistantContext, homeAssistant } from "./home-assistant.ts";
import { rackMetrics, siteMetrics } from "./sparkplug/metrics.ts";

export interface Outputs {
  /** @param mqtt_url where outputs go that were told of no other broker */
  start(mqtt_url: string): Promise<void>;
  /** Puts on the broker again what it may have forgotten. */
  republish(): void;
  stop(): Promise<void>;
}

/** What the aggregator tells other systems over MQTT, where the configuration asks for it. */
export function createOutputs(context: HomeAssistantContext & { log: Log }): Outputs {
  const { config, clock, fleet, incidents, store, log } = context;
  const home_assistant = homeAssistant(context);
  const stops: (() => Promise<void>)[] = [];

  const startSparkplug = async (mqtt_url: string) => {
    const { enabled, url = mqtt_url, username, password, ...ids } = config.outputs.sparkplug;
    if (!enabled) return;
    // Loaded only where it is configured.
    const { edgeNode } = await import("./sparkplug/edge-node.ts");
    const nodeMetrics = () => {
      const now_ms = clock.now();
      const kpis = siteKpis(fleet, config.limits, config.kpi, now_ms);
      return siteMetrics(kpis, incidents.active().length, Math.trunc(now_ms));
    };
    const devices = () => {
      const now_ms = clock.now();
      const online = fleet.racks.filter((rack) => isOnline(rack, now_ms));
      return new Map(online.map((rack) => [rack.rack_id, rackMetrics(rack, Math.trunc(now_ms))]));
    };
    const { group_id, edge_node_id = config.site, interval_s } = ids;
    const mqtt = { url, username, password };
    const node = edgeNode({
      ...{ mqtt, group_id, edge_node_id, interval_s },
      ...{ clock, log, store, nodeMetrics, devices },
    });
    node.start();
    stops.push(node.stop);
  };
  return {
    async start(mqtt_url) {
      home_assistant.start();
      stops.push(async () => home_assistant.stop());
      await startSparkplug(mqtt_url);
    },
    republish: home_assistant.republish,
    async stop() {
      for (const stop of stops.splice(0)) await stop();
    },
  };
}
