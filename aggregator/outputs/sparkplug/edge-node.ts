import mqtt, { type MqttClient } from "mqtt";
import type { MqttClientConfig } from "../../../shared/contracts/config-parts.ts";
import type { Log } from "../../../shared/log.ts";
import type { Clock } from "../../../shared/time.ts";
import type { Store } from "../../store/store.ts";
import { commandedMetrics, encodePayload, type Metric } from "./payload.ts";

export interface EdgeNode {
  start(): void;
  stop(): Promise<void>;
}

export interface EdgeNodeContext {
  mqtt: MqttClientConfig;
  group_id: string;
  edge_node_id: string;
  interval_s: number;
  clock: Clock;
  log: Log;
  store: Store;
  nodeMetrics: () => Metric[];
  /** The devices that can be heard now, each with its metrics. */
  devices: () => ReadonlyMap<string, Metric[]>;
}

const REBIRTH = "Node Control/Rebirth";
const BD_SEQ = "sparkplug_bd_seq";
const RECONNECT_MS = 2_000;
/** A host that asks for births more often gets one. */
const REBIRTH_SPACING_MS = 1_000;

/**
 * A Sparkplug edge node (Sparkplug 3.0.0, chapters 4 and 5): births with everything, data with what changed, deaths of
 * devices and, by the last will, of the node. It writes and is asked for rebirths; nothing can be commanded through it.
 * Without a primary host application: it publishes whoever listens.
 */
export function edgeNode(context: EdgeNodeContext): EdgeNode {
  const { clock, log, store, group_id, edge_node_id } = context;
  let client: MqttClient | null = null;
  let stopped = false;
  let reconnect: NodeJS.Timeout | undefined;
  let stopTicks: (() => void) | undefined;
  let complained = false;
  let seq = 0;
  let bd_seq = 0;
  let born_ms = Number.NEGATIVE_INFINITY;
  /** What was said last, by device and metric; the node's own under "". */
  const said = new Map<string, Map<string, Metric["value"]>>();

  const now = () => Math.trunc(clock.now());
  const topic = (kind: string, device = "") =>
    `spBv1.0/${group_id}/${kind}/${edge_node_id}${device && `/${device}`}`;
  const publish = (kind: string, device: string, metrics: readonly Metric[]) => {
    const payload = encodePayload({ timestamp_ms: now(), seq, metrics });
    seq = (seq + 1) % 256;
    client?.publish(topic(kind, device), Buffer.from(payload), { qos: 0 });
  };
  const remember = (device: string, metrics: readonly Metric[]) =>
    said.set(device, new Map(metrics.map(({ name, value }) => [name, value])));
  const death = () =>
    Buffer.from(encodePayload({ timestamp_ms: now(), metrics: [bdSeqMetric(bd_seq, now())] }));

  const bearDevice = (device: string, metrics: readonly Metric[]) => {
    publish("DBIRTH", device, metrics);
    remember(device, metrics);
  };
  const birth = () => {
    seq = 0;
    born_ms = clock.now();
    said.clear();
    const metrics = context.nodeMetrics();
    const rebirth: Metric = { name: REBIRTH, timestamp_ms: now(), type: "boolean", value: false };
    publish("NBIRTH", "", [bdSeqMetric(bd_seq, now()), rebirth, ...metrics]);
    remember("", metrics);
    for (const [device, inner] of context.devices()) bearDevice(device, inner);
  };
  /** Report by exception: only what is another value than was said. */
  const tellNews = (kind: string, device: string, metrics: readonly Metric[]) => {
    const known = said.get(device);
    const news = metrics.filter(({ name, value }) => known?.get(name) !== value);
    if (news.length === 0) return;
    publish(
      kind,
      device,
      news.map(({ unit: _, ...metric }) => metric),
    );
    remember(device, metrics);
  };
  const tick = () => {
    if (!client?.connected || said.size === 0) return;
    tellNews("NDATA", "", context.nodeMetrics());
    const devices = context.devices();
    for (const device of [...said.keys()]) {
      if (device === "" || devices.has(device)) continue;
      publish("DDEATH", device, []);
      said.delete(device);
    }
    for (const [device, metrics] of devices) {
      if (said.has(device)) tellNews("DDATA", device, metrics);
      else bearDevice(device, metrics);
    }
  };
  const onMessage = (_topic: string, payload: Uint8Array) => {
    const asked = commandedMetrics(payload).includes(REBIRTH);
    if (asked && clock.now() - born_ms >= REBIRTH_SPACING_MS) birth();
  };
  /** Every connection is a life of its own, with a number that its death can be told by. */
  const connect = () => {
    bd_seq = (((store.settings.get(BD_SEQ) as number | undefined) ?? -1) + 1) % 256;
    store.settings.put(BD_SEQ, bd_seq);
    flushed(store, log);
    const { url, username, password } = context.mqtt;
    const connecting = mqtt.connect(url, {
      clientId: `skadi-sparkplug-${edge_node_id}`,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      clean: true,
      reconnectPeriod: 0,
      will: { topic: topic("NDEATH"), payload: death(), qos: 1, retain: false },
    });
    client = connecting;
    connecting.on("connect", () => {
      complained = false;
      connecting.subscribe(topic("NCMD"), { qos: 1 }, (error) => {
        if (error) log.warn({ err: error }, "Sparkplug: cannot subscribe to commands");
        if (connecting === client) birth();
      });
    });
    connecting.on("message", onMessage);
    connecting.on("error", (error) => {
      if (!complained) log.warn({ err: error }, "Sparkplug: the broker cannot be reached");
      complained = true;
    });
    connecting.on("close", () => {
      if (connecting !== client) return;
      client = null;
      said.clear();
      connecting.end(true);
      if (!stopped) reconnect = setTimeout(connect, RECONNECT_MS);
    });
  };
  return {
    start() {
      connect();
      stopTicks = clock.every(context.interval_s * 1000, tick);
    },
    async stop() {
      stopped = true;
      clearTimeout(reconnect);
      stopTicks?.();
      const ending = client;
      client = null;
      // A goodbye that is no failure keeps the broker from sending the will.
      if (ending?.connected) ending.publish(topic("NDEATH"), death(), { qos: 0 });
      await ending?.endAsync(!ending.connected);
    },
  };
}

/** A number must not be used again, however this life ends; a disk that is full must not keep the node from living. */
function flushed(store: Store, log: Log): void {
  try {
    store.flush();
  } catch (error) {
    log.warn({ err: error }, "Sparkplug: the number of this connection could not be kept");
  }
}

function bdSeqMetric(value: number, timestamp_ms: number): Metric {
  return { name: "bdSeq", timestamp_ms, type: "int64", value };
}
