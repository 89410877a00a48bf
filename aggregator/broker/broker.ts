import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Rejection } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Stopwatch } from "../../shared/metrics.ts";
import { reachableHost } from "../reachable-host.ts";
import { embeddedBroker } from "./embedded.ts";
import { type Link, linkInProcess, linkOverNetwork, type MessageHandler } from "./link.ts";

/** The broker as the rest of the aggregator sees it, embedded or not. */
export interface Broker {
  connected(): boolean;
  publish: Link["publish"];
  /** Connects and subscribes; resolves when every retained message has been handled. */
  connect(onMessage: MessageHandler, onReconnect: () => void): Promise<void>;
  disconnect(): Promise<void>;
  /** Lets agents in; resolves with the URL that they connect to. */
  open(): Promise<string>;
  /** Lets nobody in any more; resolves when what had arrived is handled. */
  shut(): Promise<void>;
}

interface BrokerContext {
  site: string;
  config: AggregatorConfig["broker"];
  token: string;
  log: Log;
  published: Stopwatch;
  onRefused: (topic: string, rejection: Rejection, client_id: string | null) => void;
}

export async function createBroker(context: BrokerContext): Promise<Broker> {
  const { site, config, token, log, published, onRefused } = context;
  const embedded = config.embedded ? await embeddedBroker({ ...config, token, onRefused }) : null;
  let link: Link | null = null;
  // A broker that kept our session delivers as soon as we connect, and the answers must not get lost.
  const early: Parameters<Link["publish"]>[] = [];
  return {
    connected: () => link?.connected() ?? false,
    publish(...message) {
      if (link) link.publish(...message);
      else early.push(message);
    },
    async connect(onMessage, onReconnect) {
      const parts = { site, log, published, onMessage, onReconnect };
      link = await (embedded
        ? linkInProcess(parts, embedded.connect, token)
        : linkOverNetwork(parts, config.external));
      for (const message of early.splice(0)) link.publish(...message);
      // A broker answers in order: after our own message has come back, so has everything retained.
      await link.drain();
    },
    async disconnect() {
      await link?.close();
      await embedded?.close();
    },
    async open() {
      if (!embedded) return config.external.url;
      return `mqtt://${reachableHost(config.host)}:${await embedded.listen()}`;
    },
    async shut() {
      await embedded?.closePort();
      if (embedded) await link?.drain();
    },
  };
}
