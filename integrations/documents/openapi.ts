import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAggregator } from "../../aggregator/aggregator.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";

/** The aggregator's OpenAPI document, as a running aggregator serves it. */
export async function openApiDocument(): Promise<OpenApi> {
  const data_dir = mkdtempSync(join(tmpdir(), "skadi-documents-"));
  const config = AggregatorConfig.parse({ data_dir, broker: { port: 0 }, http: { port: 0 } });
  const aggregator = await createAggregator({
    config,
    clock: systemClock(),
    log: createLog("documents", "silent"),
  });
  await aggregator.start();
  try {
    const response = await fetch(`${aggregator.http_url}/docs/json`);
    return (await response.json()) as OpenApi;
  } finally {
    await aggregator.stop();
    rmSync(data_dir, { recursive: true, force: true });
  }
}

/** What the client's types are made from; the document has more. */
export interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, JsonSchema> };
}

export interface Operation {
  summary?: string;
  parameters?: { name: string; in: string; required?: boolean; schema: JsonSchema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, { content?: Record<string, { schema: JsonSchema }> }>;
}

export interface JsonSchema {
  type?: string | string[];
  description?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  $ref?: string;
}
