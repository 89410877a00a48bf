import type { KeyObject } from "node:crypto";
import mqtt, { type MqttClient } from "mqtt";
import type { MqttClientConfig } from "../../shared/contracts/config-parts.ts";
import { Ack, Status } from "../../shared/contracts/messages.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { modelTopic, parseUpTopic, TOPIC_ROOT } from "../../shared/contracts/topics.ts";
import { type Rejection, skadiError } from "../../shared/errors.ts";
import { makeManifest, type ReadManifest, readManifest } from "./manifest.ts";

export interface PushTarget {
  site: string;
  broker: MqttClientConfig;
  keys: { private_key: KeyObject; public_key: KeyObject };
}

export interface PushSummary {
  model_id: string;
  previous_id: string | null;
  counter: number;
  accepted: string[];
  refused: { rack_id: string; errors: Rejection[] }[];
  /** Racks with an agent online that did not answer in time. */
  silent: string[];
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Retained messages follow a subscription at once; after this silence there are no more of them. */
const QUIET_MS = 300;
const POLL_MS = 20;

/** What the broker has retained about models and agents. */
interface Picture {
  manifest: ReadManifest | null;
  online: Set<string>;
  answers: Map<string, Ack>;
}

/** Publishes a model as the site's retained manifest and waits for the agents' answers. */
export async function pushModel(target: PushTarget, model: ModelFile, wait_s: number): Promise<PushSummary> {
  return withPicture(target, async (client, picture) => {
    const previous = picture.manifest;
    const counter = Math.max(Date.now(), (previous?.counter ?? 0) + 1);
    const previous_id = previous?.model.id ?? null;
    const manifest = makeManifest(model, { counter, previous_id, key: target.keys.private_key });
    await client.publishAsync(modelTopic(target.site), JSON.stringify(manifest), { qos: 1, retain: true });
    const answersOf = () => [...picture.answers.values()].filter((ack) => ack.ref === model.id);
    const silentRacks = () => {
      const answered = new Set(answersOf().map((ack) => ack.rack_id));
      return [...picture.online].filter((rack_id) => !answered.has(rack_id)).sort();
    };
    await until(() => silentRacks().length === 0, wait_s * 1000);
    const answers = answersOf();
    return {
      model_id: model.id,
      previous_id,
      counter,
      accepted: answers
        .filter((ack) => ack.ok)
        .map((ack) => ack.rack_id)
        .sort(),
      refused: answers.filter((ack) => !ack.ok).map(({ rack_id, errors }) => ({ rack_id, errors })),
      silent: silentRacks(),
    };
  });
}

/** The retained manifest; null if there is none that this site signed. */
export function readRetained(target: PushTarget): Promise<ReadManifest | null> {
  return withPicture(target, async (_client, picture) => picture.manifest);
}

async function withPicture<T>(
  target: PushTarget,
  work: (client: MqttClient, picture: Picture) => Promise<T>,
): Promise<T> {
  const client = await connect(target.broker);
  try {
    const picture: Picture = { manifest: null, online: new Set(), answers: new Map() };
    let last_ms = performance.now();
    client.on("message", (topic, payload) => {
      last_ms = performance.now();
      take(target, picture, topic, payload);
    });
    const topics = ["status", "ack"].map((channel) => `${TOPIC_ROOT}/${target.site}/+/${channel}`);
    await client.subscribeAsync([modelTopic(target.site), ...topics], { qos: 1 });
    last_ms = performance.now();
    await until(() => performance.now() - last_ms > QUIET_MS, CONNECT_TIMEOUT_MS);
    return await work(client, picture);
  } finally {
    await client.endAsync();
  }
}

async function connect({ url, username, password }: MqttClientConfig): Promise<MqttClient> {
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  try {
    return await mqtt.connectAsync(
      url,
      { ...login, reconnectPeriod: 0, connectTimeout: CONNECT_TIMEOUT_MS },
      false,
    );
  } catch (error) {
    const reason =
      error instanceof Error ? error.message || ("code" in error && String(error.code)) : String(error);
    throw skadiError("SKADI_MQTT", { field: "broker", value: url, expected: `a running broker (${reason})` });
  }
}

function take(target: PushTarget, picture: Picture, topic: string, payload: Buffer): void {
  if (topic === modelTopic(target.site)) {
    const manifest = readManifest(payload, target.keys.public_key);
    if (manifest.ok) picture.manifest = manifest.value;
    return;
  }
  const up = parseUpTopic(topic);
  if (up?.channel === "status") {
    const status = parsePayload(Status, payload);
    if (!status.ok) return;
    if (status.value.state === "online") picture.online.add(up.rack_id);
    else picture.online.delete(up.rack_id);
  }
  if (up?.channel === "ack") {
    const ack = parsePayload(Ack, payload);
    if (ack.ok && ack.value.of === "model") picture.answers.set(up.rack_id, ack.value);
  }
}

async function until(done: () => boolean, limit_ms: number): Promise<void> {
  const deadline = performance.now() + limit_ms;
  while (!done() && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
