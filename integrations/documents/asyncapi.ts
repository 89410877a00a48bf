import { z } from "zod";
import { Action } from "../../shared/contracts/action.ts";
import { Incident } from "../../shared/contracts/incident.ts";
import { KeyRing, ModelManifest } from "../../shared/contracts/manifest.ts";
import { Ack, Command, SimulatorCommand, SimulatorStatus, Status } from "../../shared/contracts/messages.ts";
import { Score } from "../../shared/contracts/score.ts";
import { TelemetryInput } from "../../shared/contracts/telemetry.ts";
import {
  commandTopic,
  incidentTopic,
  keyRingTopic,
  modelTopic,
  simulatorCommandTopic,
  simulatorStatusTopic,
  type UpChannel,
  upTopic,
} from "../../shared/contracts/topics.ts";
import { packageVersion } from "../../shared/version.ts";

interface Topic {
  /** With `{site}` and the like where a topic has a level that varies. */
  address: string;
  title: string;
  /** What the aggregator does with it. */
  action: "send" | "receive";
  retained: boolean;
  payload: z.ZodType;
}

const SITE = "{site}";
const RACK = "{rack_id}";
const up = (channel: UpChannel) => upTopic(SITE, RACK, channel);

/** Every topic with its schema, as the code has them. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  telemetry: topic(up("telemetry"), "One rack at one instant", "receive", false, TelemetryInput),
  score: topic(up("score"), "The IMS verdict on one sample", "receive", false, Score),
  action: topic(up("action"), "What the agent did, advised or refused", "receive", false, Action),
  status: topic(up("status"), "Whether the agent is online; also its last will", "receive", true, Status),
  ack: topic(up("ack"), "Answer to a command, a model or a refused payload", "receive", false, Ack),
  command: topic(commandTopic(SITE, RACK), "A signed order to one agent", "send", false, Command),
  model: topic(modelTopic(SITE), "Which model every rack should run, signed", "send", true, ModelManifest),
  keys: topic(keyRingTopic(SITE), "The keys that agents trust", "send", true, KeyRing),
  incident: topic(incidentTopic(SITE, "{incident_id}"), "An open incident", "send", true, Incident),
  simulator_status: topic(
    simulatorStatusTopic(SITE),
    "What a connected simulator can play",
    "receive",
    true,
    SimulatorStatus,
  ),
  simulator_command: topic(
    simulatorCommandTopic(SITE),
    "Starts or stops a scenario",
    "send",
    false,
    SimulatorCommand,
  ),
};

function topic(
  address: string,
  title: string,
  action: Topic["action"],
  retained: boolean,
  payload: z.ZodType,
): Topic {
  return { address, title, action, retained, payload };
}

const PARAMETERS: Readonly<Record<string, { description: string; examples: string[] }>> = {
  site: { description: "The site", examples: ["dc1"] },
  rack_id: { description: "The rack: R-<row>-<nn>", examples: ["R-C-07"] },
  incident_id: { description: "The incident", examples: ["20260131T120000-1a2b3c4d"] },
};

/** The AsyncAPI 3 document of the MQTT interface, from the schemas that every reader and writer parses with. */
export function asyncApiDocument() {
  const topics = Object.entries(TOPICS);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Skadi over MQTT",
      version: packageVersion(),
      description:
        "As the aggregator sees it: it receives what agents send up and sends what goes down. QoS 1 throughout. A reader ignores unknown fields and refuses an unknown major version `v`.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: {
      embedded: {
        host: "127.0.0.1:1883",
        protocol: "mqtt",
        description: "The broker in the aggregator; another one can be configured instead.",
      },
    },
    channels: Object.fromEntries(topics.map(([name, described]) => [name, channel(name, described)])),
    operations: Object.fromEntries(topics.map(([name, described]) => operation(name, described))),
    components: {
      messages: Object.fromEntries(topics.map(([name, described]) => [name, message(name, described)])),
    },
  };
}

function channel(name: string, { address, title }: Topic) {
  const levels = [...address.matchAll(/\{(\w+)\}/g)].map(([, level]) => level!);
  return {
    address,
    title,
    ...(levels.length > 0 && {
      parameters: Object.fromEntries(levels.map((level) => [level, PARAMETERS[level]])),
    }),
    messages: { [name]: { $ref: `#/components/messages/${name}` } },
  };
}

function operation(name: string, { action, title, retained }: Topic) {
  return [
    `${action}_${name}`,
    {
      action,
      title,
      channel: { $ref: `#/channels/${name}` },
      messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
      bindings: { mqtt: { qos: 1, retain: retained, bindingVersion: "0.2.0" } },
    },
  ];
}

function message(name: string, { title, payload }: Topic) {
  const { $schema: _, ...schema } = z.toJSONSchema(payload, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
  });
  return { name, title, contentType: "application/json", payload: schema };
}
