import { readFileSync } from "node:fs";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { MqttSensor } from "../../shared/contracts/devices/mqtt.ts";
import { PAYLOAD_MAX_BYTES } from "../../shared/contracts/parse.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { follow, stepsOf } from "../devices/json-pointer.ts";
import { topicFits } from "../devices/mqtt-topic.ts";
import { revealSecret } from "../devices/secret.ts";
import type { SensorDevice } from "./device.ts";

const RECONNECT_MS = 1_000;
/** This share of the time for one attempt is spent on waiting for what comes right after the subscription. */
const FIRST_WORDS_SHARE = 0.25;
/** A filter that fits more topics than this is taken for a mistake. */
const TOPICS_MAX = 1_000;

/** What a topic said last. */
interface Said {
  value: number | null;
  at_ms: number;
  /** The broker kept it for us: how old it is nobody knows. */
  retained: boolean;
}

/**
 * Listens on a broker. A retained message that comes at subscription is in doubt until the publisher speaks itself;
 * a topic that has been silent for too long is null, so that a sum over several topics does not go on without it.
 */
export function mqttSensor(config: MqttSensor, clock: Clock, log: Log): SensorDevice {
  const { name, url, points, every_s, poll_s, timeout_s } = config;
  const old_ms = (config.stale_after_s ?? 3 * Math.max(every_s, poll_s) + timeout_s) * 1000;
  const steps = points.map(({ pointer }) => (pointer === undefined ? null : stepsOf(pointer)));
  /** By point and topic; kept when the connection is not, because what was said goes on to hold for a while. */
  const said = points.map(() => new Map<string, Said>());
  let client: MqttClient | null = null;
  let problem = "";
  let onHeard = () => {};

  const hear = (topic: string, payload: Buffer, retained: boolean) => {
    points.forEach((point, i) => {
      if (!topicFits(point.topic, topic)) return;
      const value = numberIn(payload, steps[i] ?? null);
      const last = said[i]!.get(topic);
      // After a reconnection the broker repeats what the publisher told us itself.
      if (retained && last && !last.retained && last.value === value) return;
      if (last || said[i]!.size <= TOPICS_MAX) said[i]!.set(topic, { value, at_ms: clock.now(), retained });
    });
    onHeard();
  };
  /** What the broker retained comes right after the subscription; without it nobody waits for long. */
  const firstWords = () =>
    new Promise<void>((resolve) => {
      const cancel = clock.after(FIRST_WORDS_SHARE * timeout_s * 1000, resolve);
      onHeard = () => {
        if (said.some((topics) => topics.size === 0)) return;
        cancel();
        resolve();
      };
      onHeard();
    });
  const readingOf = (topics: ReadonlyMap<string, Said>, now_ms: number) => {
    const current = [...topics.values()].map((s) => (now_ms - s.at_ms <= old_ms ? s : null));
    const speaking = current.filter((s) => s !== null);
    return {
      values: current.map((s) => s?.value ?? null),
      suspect: speaking.some(({ retained }) => retained),
      age_ms: now_ms - Math.min(now_ms, ...speaking.map(({ at_ms }) => at_ms)),
    };
  };
  return {
    name,
    async open() {
      await client?.endAsync(true);
      const opened = mqtt.connect(url, connectOptions(config));
      client = opened;
      opened.on("message", (topic, payload, { retain }) => hear(topic, payload, retain));
      opened.on("error", (error) => {
        problem = error.message;
      });
      opened.on("connect", () => {
        problem = "";
        log.info({ event: "sensor_broker_connected", device: name, url });
      });
      await new Promise<void>((resolve, reject) => {
        opened.once("connect", () => resolve());
        opened.once("error", reject);
        opened.once("close", () => reject(noBroker(url, problem)));
      });
      await opened.subscribeAsync([...new Set(points.map(({ topic }) => topic))], { qos: 1 });
      await firstWords();
    },
    async read() {
      const now_ms = clock.now();
      said.forEach((topics, i) => {
        if (topics.size <= TOPICS_MAX) return;
        const detail = { field: "points.topic", value: points[i]!.topic };
        throw skadiError("SKADI_DRIVER", { ...detail, expected: `at most ${TOPICS_MAX} topics` });
      });
      const readings = said.map((topics) => readingOf(topics, now_ms));
      if (!client?.connected && readings.every(({ values }) => values.every((v) => v === null))) {
        throw noBroker(url, problem);
      }
      return readings;
    },
    async close() {
      const closing = client;
      client = null;
      await closing?.endAsync(true);
    },
  };
}

/** @throws SkadiError SKADI_BAD_CONFIG when a secret or the file of authorities is missing */
function connectOptions({ username, password, ca_file, timeout_s }: MqttSensor): IClientOptions {
  return {
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: timeout_s * 1000,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: revealSecret(password) }),
    ...(ca_file === undefined ? {} : { ca: authorities(ca_file) }),
  };
}

function authorities(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw skadiError("SKADI_BAD_CONFIG", { field: "ca_file", value: file, expected: `a file (${error})` });
  }
}

function noBroker(url: string, problem: string): Error {
  return skadiError("SKADI_MQTT", {
    field: "url",
    value: url,
    expected: `a connection (${problem || "closed"})`,
  });
}

/** The number that a payload holds; null: it holds none there. */
function numberIn(payload: Buffer, steps: readonly string[] | null): number | null {
  if (payload.byteLength > PAYLOAD_MAX_BYTES) return null;
  const text = payload.toString("utf8");
  if (steps === null) return asNumber(text);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Not JSON: it says nothing.
    return null;
  }
  return asNumber(follow(document, steps).value);
}

function asNumber(value: unknown): number | null {
  if (typeof value !== "number" && typeof value !== "string") return null;
  const number = typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : null;
}
