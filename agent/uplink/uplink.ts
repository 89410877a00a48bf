import mqtt, { type MqttClient } from "mqtt";
import type { MqttClientConfig } from "../../shared/contracts/config-parts.ts";
import {
  commandTopic,
  keyRingTopic,
  modelChunkTopic,
  modelTopic,
  parseChunkTopic,
  type UpChannel,
  upTopic,
} from "../../shared/contracts/topics.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { Letter, Outbox } from "./outbox.ts";
import { rateLimit } from "./rate.ts";

/** Letters on their way at once: enough to hide the round trip, few enough to keep catch-up gentle. */
const UNDER_WAY_MAX = 16;
const RECONNECT_MS = 1_000;
const STOP_GRACE_MS = 5_000;

export interface UplinkOptions {
  site: string;
  rack_id: string;
  mqtt: MqttClientConfig;
  outbox: Outbox;
  /** At most so many telemetry messages and scores in a second of the clock; actions and acks are not held back. */
  catch_up_per_s: number;
  clock: Clock;
  log: Log;
  /** The retained status as of now; also sent, as `offline`, as the last will. */
  status(state: "online" | "offline"): string;
  onCommand(payload: Uint8Array): void;
  onModel(payload: Uint8Array): void;
  onKeys(payload: Uint8Array): void;
  /** Takes the time from a publish to the broker's acknowledgement. */
  onPublished?(duration_s: number): void;
}

export interface Uplink {
  start(): void;
  /** Sends what it can within a grace time, says goodbye, and disconnects. */
  stop(): Promise<void>;
  /** Hands a message to the outbox; it leaves in the order of its lane, now or when the broker is back. */
  send(channel: UpChannel, message: object): void;
  /** Subscribes to the parts of one model, now or when the broker is there. Returns the function that ends it. */
  listenForParts(sha256: string, onPart: (n: number, part: Uint8Array) => void): () => void;
  /** Publishes the status again, for example after the mode changed. */
  announce(): void;
  readonly connected: boolean;
  readonly delivered: number;
}

/**
 * The agent's MQTT connection. It never blocks the loops: they write to the outbox and go on.
 *
 * Every connection has its own client. One client over all of them would keep what is under way in its memory and
 * repeat it by itself after a reconnection; here the outbox alone knows what is still to be sent.
 */
export function mqttUplink(options: UplinkOptions): Uplink {
  const { site, rack_id, outbox, log, clock } = options;
  const history_rate = rateLimit(options.catch_up_per_s, clock.now);
  let client: MqttClient | null = null;
  let stopped = false;
  let reconnect: NodeJS.Timeout | undefined;
  let announced = false;
  let complained = false;
  let under_way = 0;
  let delivered = 0;
  let paused = false;
  let onIdle: (() => void) | null = null;
  const parts_wanted = new Map<string, (n: number, part: Uint8Array) => void>();

  const next = (): Letter | undefined => {
    const news = outbox.take("news");
    if (news || paused) return news;
    if (history_rate.take()) return outbox.take("history");
    paused = true;
    clock.after(history_rate.wait_ms(), () => {
      paused = false;
      pump();
    });
    return undefined;
  };
  const pump = () => {
    const current = client;
    if (!current?.connected || !announced) return;
    while (under_way < UNDER_WAY_MAX) {
      const letter = next();
      if (!letter) break;
      under_way++;
      const asked = performance.now();
      current.publish(upTopic(site, rack_id, letter.channel), letter.payload, { qos: 1 }, (error) => {
        // A connection that is over has given its letters back.
        if (current !== client) return;
        if (error) {
          log.warn({ event: "publish_failed", channel: letter.channel, reason: error.message });
          lost(current);
          return;
        }
        under_way--;
        delivered++;
        outbox.confirm(letter);
        options.onPublished?.((performance.now() - asked) / 1000);
        pump();
      });
    }
    if (outbox.size === 0) onIdle?.();
  };
  const announce = () => {
    if (!client?.connected) return;
    client.publish(upTopic(site, rack_id, "status"), options.status("online"), { qos: 1, retain: true });
  };
  const subscribe = (topics: string[]) => {
    client?.subscribe(topics, { qos: 1 }, (error) => {
      if (error) log.error({ event: "subscribe_failed", reason: error.message });
    });
  };
  const onConnect = () => {
    complained = false;
    log.info({ event: "broker_connected", url: options.mqtt.url });
    // Keys before what they sign: a broker sends what it has retained in the order of the subscriptions.
    subscribe([commandTopic(site, rack_id), keyRingTopic(site), modelTopic(site)]);
    for (const sha256 of parts_wanted.keys()) subscribe([modelChunkTopic(site, sha256, "+")]);
    // Before the first sample, so that the aggregator knows that this rack is scored by its own agent.
    announce();
    announced = true;
    pump();
  };
  const onMessage = (topic: string, payload: Uint8Array) => {
    try {
      if (topic === commandTopic(site, rack_id)) return options.onCommand(payload);
      // Nothing to judge: something that was retained is retained no more.
      if (payload.byteLength === 0) return;
      const part = parseChunkTopic(site, topic);
      if (part) parts_wanted.get(part.sha256)?.(part.n, payload);
      else if (topic === modelTopic(site)) options.onModel(payload);
      else if (topic === keyRingTopic(site)) options.onKeys(payload);
    } catch (error) {
      // Whatever a message does, the rack stays guarded.
      log.error({ event: "message_failed", topic, err: error });
    }
  };
  /** What is not acknowledged goes out again, from the outbox, over the next connection. */
  const lost = (ended: MqttClient) => {
    if (ended !== client) return;
    client = null;
    announced = false;
    under_way = 0;
    outbox.giveBack();
    log.debug({ event: "broker_connection_closed" });
    ended.end(true);
    if (!stopped) reconnect = setTimeout(connect, RECONNECT_MS);
  };
  const connect = () => {
    const { url, username, password } = options.mqtt;
    const connecting = mqtt.connect(url, {
      clientId: `skadi-agent-${site}-${rack_id}`,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      reconnectPeriod: 0,
      will: {
        topic: upTopic(site, rack_id, "status"),
        payload: Buffer.from(options.status("offline")),
        qos: 1,
        retain: true,
      },
    });
    client = connecting;
    connecting.on("connect", onConnect);
    connecting.on("message", onMessage);
    connecting.on("close", () => lost(connecting));
    connecting.on("error", (error) => {
      // Once per outage: days without network must not fill the disk.
      if (!complained) log.warn({ event: "broker_error", reason: error.message });
      complained = true;
    });
  };
  return {
    start: connect,
    async stop() {
      stopped = true;
      clearTimeout(reconnect);
      const ending = client;
      if (!ending) return;
      if (ending.connected) {
        await Promise.race([drained(), delay(STOP_GRACE_MS)]);
        ending.publish(upTopic(site, rack_id, "status"), options.status("offline"), { qos: 1, retain: true });
      }
      client = null;
      await ending.endAsync(!ending.connected);
    },
    send(channel, message) {
      const seq = "seq" in message && typeof message.seq === "number" ? { seq: message.seq } : {};
      outbox.add({ channel, payload: JSON.stringify(message), ...seq });
      pump();
    },
    listenForParts(sha256, onPart) {
      const topic = modelChunkTopic(site, sha256, "+");
      parts_wanted.set(sha256, onPart);
      if (client?.connected) subscribe([topic]);
      return () => {
        if (parts_wanted.get(sha256) !== onPart) return;
        parts_wanted.delete(sha256);
        if (!client?.connected) return;
        client.unsubscribe(topic, (error) => {
          if (error) log.debug({ event: "unsubscribe_failed", topic, reason: error.message });
        });
      };
    },
    announce,
    get connected() {
      return client?.connected ?? false;
    },
    get delivered() {
      return delivered;
    },
  };

  function drained(): Promise<void> {
    return new Promise((resolve) => {
      onIdle = resolve;
      pump();
    });
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
