import type { Duplex } from "node:stream";
import mqtt, { type IClientOptions, MqttClient } from "mqtt";
import type { MqttClientConfig } from "../../shared/contracts/config-parts.ts";
import { modelTopic, TOPIC_ROOT, UP_CHANNELS } from "../../shared/contracts/topics.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Stopwatch } from "../../shared/metrics.ts";
import { MQTT_USERNAME } from "../secrets.ts";

export type MessageHandler = (topic: string, payload: Buffer, retained: boolean) => void;

/** The aggregator's own MQTT connection, to whichever broker. */
export interface Link {
  connected(): boolean;
  /**
   * QoS 1; null is an empty message, which ends a retained one; bytes go as they are. While the broker is away the
   * message waits in memory. Failures are logged, not thrown.
   */
  publish(topic: string, message: object | null, options?: { retain?: boolean }): void;
  /** Resolves when everything that the broker had received before this call has been handled. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

interface LinkContext {
  /** Takes the time from a publish to the broker's acknowledgement. */
  published: Stopwatch;
  site: string;
  log: Log;
  onMessage: MessageHandler;
  /** Connected again after the broker was away; it may have forgotten what it had retained. */
  onReconnect: () => void;
}

/** Followed by the site. */
export const AGGREGATOR_CLIENT_ID = "skadi-aggregator-";
const CONNECT_TIMEOUT_MS = 10_000;
const DRAIN_TIMEOUT_MS = 2_000;

/** Joins the embedded broker without a detour over TCP, so that it can subscribe before the port opens. */
export function linkInProcess(context: LinkContext, connect: () => Duplex, token: string): Promise<Link> {
  const options = { username: MQTT_USERNAME, password: token, clean: true, reconnectPeriod: 100 };
  // mqtt.js types its streams as sockets; any duplex stream does.
  return openLink(context, new MqttClient(connect as never, withId(context.site, options)));
}

/** Joins another broker, with a session that it keeps while the aggregator restarts: what arrives meanwhile is queued there. */
export function linkOverNetwork(context: LinkContext, broker: MqttClientConfig): Promise<Link> {
  const { url, username, password } = broker;
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  return openLink(
    context,
    mqtt.connect(url, withId(context.site, { ...login, clean: false, reconnectPeriod: 1_000 })),
  );
}

function withId(site: string, options: IClientOptions): IClientOptions {
  return { ...options, clientId: AGGREGATOR_CLIENT_ID + site, connectTimeout: CONNECT_TIMEOUT_MS };
}

async function openLink(context: LinkContext, client: MqttClient): Promise<Link> {
  const { site, log, published } = context;
  const drain_topic = `${TOPIC_ROOT}/${site}/aggregator/drain`;
  let drained: (() => void) | undefined;
  client.on("error", (error) => log.warn({ err: error }, "MQTT connection failed"));
  client.on("offline", () => log.warn("the MQTT broker is away"));
  client.on("message", (topic, payload, packet) => {
    if (topic === drain_topic) return drained?.();
    context.onMessage(topic, payload, packet.retain);
  });
  await connected(client);
  client.on("connect", () => context.onReconnect());
  const channels = UP_CHANNELS.map((channel) => `${TOPIC_ROOT}/${site}/+/${channel}`);
  await client.subscribeAsync([...channels, modelTopic(site), drain_topic], { qos: 1 });
  return {
    connected: () => client.connected,
    publish(topic, message, options = {}) {
      const payload = message === null ? "" : Buffer.isBuffer(message) ? message : JSON.stringify(message);
      const asked = performance.now();
      client.publish(topic, payload, { qos: 1, retain: options.retain ?? false }, (error) => {
        if (error) log.warn({ err: error, topic }, "cannot publish");
        else published((performance.now() - asked) / 1000);
      });
    },
    async drain() {
      if (!client.connected) return;
      const handled = new Promise<void>((resolve) => {
        drained = resolve;
      });
      await client.publishAsync(drain_topic, "", { qos: 1 });
      const { promise: timeout, resolve: giveUp } = Promise.withResolvers<void>();
      const timer = setTimeout(giveUp, DRAIN_TIMEOUT_MS);
      await Promise.race([handled, timeout]);
      clearTimeout(timer);
    },
    close: () => client.endAsync(!client.connected),
  };
}

/** Waits for the first connection; a broker that refuses or does not answer is an error with the reason. */
function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve, rejectConnect) => {
    const fail = (reason: string) => {
      client.end(true);
      rejectConnect(skadiError("SKADI_MQTT", { field: "broker", expected: reason }));
    };
    const timer = setTimeout(() => fail("a broker that answers"), CONNECT_TIMEOUT_MS);
    const onError = (error: Error) => {
      clearTimeout(timer);
      fail(error.message);
    };
    client.once("error", onError);
    client.once("connect", () => {
      clearTimeout(timer);
      client.off("error", onError);
      resolve();
    });
  });
}
