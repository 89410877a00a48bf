import mqtt, { type MqttClient } from "mqtt";
import type { MqttClientConfig } from "../../shared/contracts/config.ts";
import { commandTopic, modelTopic, type UpChannel, upTopic } from "../../shared/contracts/topics.ts";
import type { Log } from "../../shared/log.ts";
import type { Outbox } from "./outbox.ts";

/** Letters on their way at once: enough to hide the round trip, few enough to keep catch-up gentle. */
const UNDER_WAY_MAX = 16;
const RECONNECT_MS = 1_000;
const STOP_GRACE_MS = 5_000;

export interface UplinkOptions {
  site: string;
  rack_id: string;
  mqtt: MqttClientConfig;
  outbox: Outbox;
  log: Log;
  /** The retained status as of now; also sent, as `offline`, as the last will. */
  status(state: "online" | "offline"): string;
  onCommand(payload: Uint8Array): void;
  onModel(payload: Uint8Array): void;
}

export interface Uplink {
  start(): void;
  /** Sends what it can within a grace time, says goodbye, and disconnects. */
  stop(): Promise<void>;
  /** Hands a message to the outbox; it leaves in order, now or when the broker is back. */
  send(channel: UpChannel, message: object): void;
  /** Publishes the status again, for example after the mode changed. */
  announce(): void;
  readonly connected: boolean;
  readonly delivered: number;
}

/** The agent's MQTT connection. It never blocks the loops: they write to the outbox and go on. */
export function mqttUplink(options: UplinkOptions): Uplink {
  const { site, rack_id, outbox, log } = options;
  let client: MqttClient | null = null;
  let announced = false;
  /** After a reconnection the client repeats what was under way; anything new would overtake it. */
  let repeating = false;
  let complained = false;
  let under_way = 0;
  let delivered = 0;
  let onIdle: (() => void) | null = null;

  const pump = () => {
    if (!client?.connected || !announced || repeating) return;
    while (under_way < UNDER_WAY_MAX) {
      const letter = outbox.take();
      if (!letter) break;
      under_way++;
      // While the connection is lost the client keeps the packet and sends it again; this settles only once.
      client.publish(upTopic(site, rack_id, letter.channel), letter.payload, { qos: 1 }, (error) => {
        under_way--;
        if (under_way === 0) repeating = false;
        if (error) {
          log.warn({ event: "publish_failed", channel: letter.channel, reason: error.message });
          outbox.lose(letter);
        } else {
          delivered++;
          outbox.confirm(letter);
        }
        pump();
      });
    }
    if (outbox.size === 0) onIdle?.();
  };
  const announce = () => {
    if (!client?.connected) return;
    client.publish(upTopic(site, rack_id, "status"), options.status("online"), { qos: 1, retain: true });
  };
  const onConnect = () => {
    complained = false;
    log.info({ event: "broker_connected", url: options.mqtt.url });
    client?.subscribe([commandTopic(site, rack_id), modelTopic(site)], { qos: 1 }, (error) => {
      if (error) log.error({ event: "subscribe_failed", reason: error.message });
    });
    // Before the first sample, so that the aggregator knows that this rack is scored by its own agent.
    announce();
    announced = true;
    repeating = under_way > 0;
    pump();
  };
  return {
    start() {
      client = mqtt.connect(options.mqtt.url, {
        clientId: `skadi-agent-${site}-${rack_id}`,
        ...(options.mqtt.username === undefined ? {} : { username: options.mqtt.username }),
        ...(options.mqtt.password === undefined ? {} : { password: options.mqtt.password }),
        reconnectPeriod: RECONNECT_MS,
        will: {
          topic: upTopic(site, rack_id, "status"),
          payload: Buffer.from(options.status("offline")),
          qos: 1,
          retain: true,
        },
      });
      client.on("connect", onConnect);
      client.on("close", () => {
        announced = false;
        log.debug({ event: "broker_connection_closed" });
      });
      client.on("error", (error) => {
        // Once per outage: days without network must not fill the disk.
        if (!complained) log.warn({ event: "broker_error", reason: error.message });
        complained = true;
      });
      client.on("message", (topic, payload) => {
        try {
          if (topic === modelTopic(site)) options.onModel(payload);
          else options.onCommand(payload);
        } catch (error) {
          // Whatever a message does, the rack stays guarded.
          log.error({ event: "message_failed", topic, err: error });
        }
      });
    },
    async stop() {
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
      outbox.add({ channel, payload: JSON.stringify(message) });
      pump();
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
