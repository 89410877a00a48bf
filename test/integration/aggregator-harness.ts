import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { type Aggregator, createAggregator } from "../../aggregator/aggregator.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Status } from "../../shared/contracts/messages.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { upTopic } from "../../shared/contracts/topics.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { type Clock, isoTime, systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { smallModel } from "../support/models.ts";
import { NOMINAL_SAMPLE } from "../support/readings.ts";

export const SITE = "dc1";

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the tests state what they expect of a body themselves
  body: any;
}

export interface TestSite {
  readonly aggregator: Aggregator;
  readonly data_dir: string;
  get(path: string): Promise<Answer>;
  /** `token` true sends the API token along. */
  post(path: string, body?: unknown, options?: { token?: boolean; raw?: boolean }): Promise<Answer>;
  /** An MQTT client that remembers what it receives. */
  mqtt(options?: { username?: string; password?: string; topics?: string[] }): Promise<TestClient>;
  /** Stops the aggregator and starts it again on what it left behind. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface TestClient {
  readonly client: MqttClient;
  publish(topic: string, payload: object | string | Buffer, retain?: boolean): Promise<void>;
  /** The first message on the topic that fits, once it is there. */
  received<T>(topic: string, fits?: (message: T) => boolean): Promise<T>;
  /** Everything received on the topic so far. */
  all(topic: string): unknown[];
}

/** A whole aggregator on ephemeral ports in a temporary folder. */
export async function testSite(
  options: { config?: object; model?: ModelFile | null; clock?: Clock } = {},
): Promise<TestSite> {
  const data_dir = mkdtempSync(join(tmpdir(), "skadi-aggregator-"));
  const { model = smallModel(), clock = systemClock() } = options;
  if (model) writeModelFile(join(data_dir, "models", `${model.id}.json`), model);
  const config = AggregatorConfig.parse({
    data_dir,
    broker: { port: 0 },
    http: { port: 0 },
    store: { flush_ms: 20 },
    ...options.config,
  });
  const log = createLog("test", "silent");
  const aggregator = await createAggregator({ config, clock, log });
  await aggregator.start();
  const clients = new Set<MqttClient>();

  const request = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${aggregator.http_url}${path}`, init);
    return { status: response.status, body: await response.json() };
  };
  const endClients = async () => {
    for (const client of clients) await client.endAsync(true);
    clients.clear();
  };
  return {
    aggregator,
    data_dir,
    get: (path) => request(path),
    post(path, body, { token = false, raw = false } = {}) {
      const headers: Record<string, string> =
        body === undefined ? {} : { "content-type": "application/json" };
      if (token) headers.authorization = `Bearer ${aggregator.api_token}`;
      const init: RequestInit = { method: "POST", headers };
      if (body !== undefined) init.body = raw ? (body as string) : JSON.stringify(body);
      return request(path, init);
    },
    async mqtt({ topics = [`skadi/v1/${SITE}/#`], ...login } = {}) {
      const client = await mqtt.connectAsync(aggregator.mqtt_url, { ...login, reconnectPeriod: 0 });
      clients.add(client);
      return remember(client, topics);
    },
    async restart() {
      await endClients();
      await aggregator.stop();
      await aggregator.start();
    },
    async close() {
      await endClients();
      await aggregator.stop();
      rmSync(data_dir, { recursive: true, force: true });
    },
  };
}

async function remember(client: MqttClient, topics: string[]): Promise<TestClient> {
  const messages: { topic: string; message: unknown }[] = [];
  client.on("message", (topic, payload) => messages.push({ topic, message: jsonOrText(payload.toString()) }));
  if (topics.length > 0) await client.subscribeAsync(topics, { qos: 1 });
  return {
    client,
    async publish(topic, payload, retain = false) {
      const bytes =
        typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
      await client.publishAsync(topic, bytes, { qos: 1, retain });
    },
    received<T>(topic: string, fits: (message: T) => boolean = () => true) {
      return eventually(
        `a message on ${topic}`,
        () => messages.find((m) => m.topic === topic && fits(m.message as T))?.message as T,
      );
    },
    all: (topic) => messages.filter((m) => m.topic === topic).map((m) => m.message),
  };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A sample in the middle of nominal operation, as a writer without seq, interval or quality would send it. */
export function sample(rack_id: string, changes: object = {}) {
  return {
    ts: isoTime(Date.now()),
    rack_id,
    ...NOMINAL_SAMPLE,
    ...changes,
  };
}

export const HOT = { inlet_c: 29, outlet_c: 48, latency_p95_ms: 320, queue_depth: 140, fan_rpm_pct: 95 };

export function agentStatus(
  rack_id: string,
  state: Status["state"],
  mode: Status["mode"] = "advisory",
): Status {
  const ts = isoTime(Date.now());
  return { v: 1, ts, rack_id, state, agent_version: "test", driver: "test", mode, model_id: "ims_test" };
}

export const topicOf = (rack_id: string, channel: Parameters<typeof upTopic>[2]) =>
  upTopic(SITE, rack_id, channel);
