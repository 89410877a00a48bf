import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Clock } from "../../shared/time.ts";
import { packageVersion } from "../../shared/version.ts";
import type { EventBus } from "../events.ts";
import type { Fleet, Rack } from "../fleet.ts";
import type { Incidents } from "../incidents/incidents.ts";
import { siteKpis } from "../overview.ts";
import type { Store } from "../store/store.ts";
import {
  type DiscoveryContext,
  rackDiscovery,
  rackStateTopic,
  siteDiscovery,
  siteStateTopic,
} from "./home-assistant-entities.ts";

export interface HomeAssistant {
  start(): void;
  /** Publishes everything again, for a broker that may have forgotten what it had retained. */
  republish(): void;
  stop(): void;
}

export interface HomeAssistantContext {
  config: AggregatorConfig;
  clock: Clock;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  incidents: Incidents;
  publish: (topic: string, message: object | null, options?: { retain?: boolean }) => void;
}

/** The retained topics that an earlier run may have left on the broker. */
const TOPICS = "home_assistant_topics";

/** Makes racks and site known to Home Assistant, and to what else reads its discovery. */
export function homeAssistant(context: HomeAssistantContext): HomeAssistant {
  const { config, clock, fleet, store, events, publish } = context;
  const { enabled, discovery_prefix: prefix, interval_s } = config.outputs.home_assistant;
  const discovery: DiscoveryContext = { site: config.site, prefix, version: packageVersion(), interval_s };
  const messages = enabled
    ? [...siteDiscovery(discovery), ...fleet.racks.flatMap((rack) => rackDiscovery(discovery, rack.rack_id))]
    : [];
  const stops: (() => void)[] = [];

  const publishRack = (rack: Rack) => {
    const persistent = rack.mms?.state === "persistent";
    publish(rackStateTopic(discovery, rack.rack_id), { persistent }, { retain: true });
  };
  const publishSite = () => {
    const { racks, ...figures } = siteKpis(fleet, config.limits, config.kpi, clock.now());
    const incidents = context.incidents.active().length;
    publish(siteStateTopic(discovery), { ...figures, persistent: racks.persistent, incidents });
  };
  const republish = () => {
    if (!enabled) return;
    for (const { topic, config: entity } of messages) publish(topic, entity, { retain: true });
    for (const rack of fleet.racks) publishRack(rack);
  };
  /** What is no longer wanted disappears from Home Assistant when its retained messages do. */
  const tidy = () => {
    const wanted = [
      ...messages.map(({ topic }) => topic),
      ...(enabled ? fleet.racks.map((rack) => rackStateTopic(discovery, rack.rack_id)) : []),
    ];
    const kept = new Set(wanted);
    const left = (store.settings.get(TOPICS) as string[] | undefined) ?? [];
    for (const topic of left) if (!kept.has(topic)) publish(topic, null, { retain: true });
    if (left.length > 0 || wanted.length > 0) store.settings.put(TOPICS, wanted);
  };
  return {
    start() {
      tidy();
      if (!enabled) return;
      republish();
      publishSite();
      stops.push(clock.every(interval_s * 1000, publishSite));
      stops.push(
        events.subscribe(({ type, rack_id }) => {
          const rack = type === "mms" && rack_id !== null ? fleet.get(rack_id) : undefined;
          if (rack) publishRack(rack);
        }),
      );
    },
    republish,
    stop() {
      for (const stop of stops.splice(0)) stop();
    },
  };
}
