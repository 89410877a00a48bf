/** MQTT topics. Up: agent to aggregator. Down: aggregator to agents. QoS 1 throughout. */
export const TOPIC_ROOT = "skadi/v1";

export const UP_CHANNELS = ["telemetry", "score", "action", "status", "ack"] as const;
export type UpChannel = (typeof UP_CHANNELS)[number];

export const upTopic = (site: string, rack_id: string, channel: UpChannel) =>
  `${TOPIC_ROOT}/${site}/${rack_id}/${channel}`;
export const commandTopic = (site: string, rack_id: string) => `${TOPIC_ROOT}/${site}/${rack_id}/command`;
export const modelTopic = (site: string) => `${TOPIC_ROOT}/${site}/models/ims`;
/** Retained: part `n` of a model that is too large to be inline in the manifest. */
export const modelChunkTopic = (site: string, sha256: string, n: number | "+") =>
  `${modelTopic(site)}/${sha256}/${n}`;
/** Whose part a message on a chunk topic is; null for any other topic. */
export function parseChunkTopic(site: string, topic: string): { sha256: string; n: number } | null {
  const root = `${modelTopic(site)}/`;
  const [sha256, n, ...rest] = topic.startsWith(root) ? topic.slice(root.length).split("/") : [];
  if (!sha256 || n === undefined || !/^\d{1,6}$/.test(n) || rest.length > 0) return null;
  return { sha256, n: Number(n) };
}
export const keyRingTopic = (site: string) => `${TOPIC_ROOT}/${site}/models/keys`;
/** Retained while the incident is open. */
export const incidentTopic = (site: string, id: string) => `${TOPIC_ROOT}/${site}/incidents/${id}`;
export const simulatorStatusTopic = (site: string) => `${TOPIC_ROOT}/${site}/sim/status`;
export const simulatorCommandTopic = (site: string) => `${TOPIC_ROOT}/${site}/sim/command`;

/** Retained: the signed head of the action chain, so that a copy exists outside the database. */
export const auditTopic = (site: string) => `${TOPIC_ROOT}/${site}/audit/head`;

/** The site, rack and channel of an up topic; null if the topic is none. */
export function parseUpTopic(topic: string): { site: string; rack_id: string; channel: UpChannel } | null {
  const [root, version, site, rack_id, channel, ...rest] = topic.split("/");
  if (`${root}/${version}` !== TOPIC_ROOT || !site || !rack_id || rest.length > 0) return null;
  const known = UP_CHANNELS.find((c) => c === channel);
  return known ? { site, rack_id, channel: known } : null;
}

/** Topics that only the aggregator may publish on: they reach actuators, models, the simulator or people, or are evidence. */
export function isDownTopic(topic: string): boolean {
  const levels = topic.split("/");
  if (`${levels[0]}/${levels[1]}` !== TOPIC_ROOT) return false;
  return (
    levels[4] === "command" ||
    levels[3] === "models" ||
    levels[3] === "incidents" ||
    levels[3] === "audit" ||
    (levels[3] === "sim" && levels[4] === "command")
  );
}
