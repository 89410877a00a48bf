import { readFileSync } from "node:fs";
import asyncApiSpecs from "@asyncapi/specs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv, type SchemaObject, type ValidateFunction } from "ajv";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { asyncApiDocument, TOPICS } from "../../integrations/documents/asyncapi.ts";
import { documents } from "../../integrations/documents/documents.ts";
import { isDownTopic, parseUpTopic } from "../../shared/contracts/topics.ts";
import { eventually } from "../support/eventually.ts";
import { agentStatus, HOT, sample, testSite, topicOf } from "./aggregator-harness.ts";

const committed = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("the documents made from the schemas", () => {
  let made: Record<string, string>;
  beforeAll(async () => {
    made = await documents();
  });

  it("are up to date in the project: npm run docs:api writes them", () => {
    for (const [path, text] of Object.entries(made)) expect(committed(path) === text, path).toBe(true);
  });

  it("describe the HTTP API in valid OpenAPI", async () => {
    const result = await new Validator().validate(JSON.parse(made["docs/api/openapi.json"]!));
    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
  }, 60_000);

  it("describe the MQTT interface in valid AsyncAPI, in JSON and YAML alike", () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const validate = ajv.compile(asyncApiSpecs.schemasWithoutId["3.0.0"] as SchemaObject);
    const document = JSON.parse(made["docs/api/asyncapi.json"]!);
    validate(document);
    expect(validate.errors).toBeNull();
    expect(parse(made["docs/api/asyncapi.yaml"]!)).toEqual(document);
  }, 60_000);
});

describe("the AsyncAPI document", () => {
  const real = (address: string) =>
    address.replace("{site}", "dc1").replace("{rack_id}", "R-A-01").replace("{incident_id}", "x");

  it("has what agents publish as received, and what only the aggregator may publish as sent", () => {
    for (const { address, action } of Object.values(TOPICS)) {
      expect(isDownTopic(real(address)), address).toBe(action === "send");
      if (address.includes("{rack_id}")) {
        expect(parseUpTopic(real(address)) !== null, address).toBe(action === "receive");
      }
    }
  });

  it("fits what is really on the wire of a site", async () => {
    const { channels, components } = asyncApiDocument();
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const validators = new Map<string, ValidateFunction>();
    for (const [name, { payload }] of Object.entries(components.messages)) {
      validators.set(name, ajv.compile(payload));
    }
    const site = await testSite();
    onTestFinished(() => site.close());
    const { client, publish, received } = await site.mqtt();
    const seen: Record<string, number> = {};
    const wrong: unknown[] = [];
    const check = (topic: string, text: string) => {
      const name = Object.keys(channels).find((candidate) =>
        new RegExp(`^${channels[candidate]!.address.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(topic),
      );
      if (name === undefined || text === "") return;
      const validate = validators.get(name)!;
      seen[name] = (seen[name] ?? 0) + 1;
      if (!validate(JSON.parse(text))) wrong.push({ topic, errors: validate.errors });
    };
    client.on("message", (topic, payload) => check(topic, payload.toString()));
    await client.subscribeAsync("skadi/v1/dc1/#");

    await publish(topicOf("R-A-01", "status"), agentStatus("R-A-01", "online"), true);
    await received("skadi/v1/dc1/R-A-01/command");
    await publish(topicOf("R-A-02", "telemetry"), sample("R-A-02", HOT));
    await publish(topicOf("R-A-03", "telemetry"), { ...sample("R-A-03"), inlet_c: 28.5 });
    await eventually("a score, a command, a model", () => seen.score && seen.command && seen.model);
    expect(wrong).toEqual([]);
    expect(Object.keys(seen).sort()).toEqual(["command", "model", "score", "status", "telemetry"]);
  });
});
