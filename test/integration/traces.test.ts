import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freeTcpPort } from "../support/ports.ts";
import { sample, testSite, topicOf } from "./aggregator-harness.ts";

interface Span {
  name: string;
  traceId: string;
  parentSpanId?: string;
  kind: number;
  attributes: { key: string; value: Record<string, unknown> }[];
}

/** What a collector of traces receives by OTLP, in its JSON form. */
async function collector() {
  const spans: Span[] = [];
  const resources: Record<string, unknown>[] = [];
  const headers: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      headers.push(request.headers.authorization);
      for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
        resources.push(valuesOf(resource.attributes));
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  const port = await freeTcpPort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}/v1/traces`, spans, resources, headers };
}

const valuesOf = (attributes: Span["attributes"]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

describe("traces", () => {
  it("tell a collector of requests, as parts of the caller's trace, and of messages", async () => {
    const { url, spans, resources, headers } = await collector();
    const site = await testSite({
      config: { traces: { otlp_url: url, sample_ratio: 1, bearer_token: "of-the-collector" } },
    });
    const trace_id = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${trace_id}-b7ad6b7169203331-01`;
    await fetch(`${site.aggregator.http_url}/incidents/none`, { headers: { traceparent } });
    const client = await site.mqtt();
    await client.publish(topicOf("R-C-07", "telemetry"), sample("R-C-07"));
    await eventually(
      "the sample is in",
      async () => (await site.get("/health")).body.counters.accepted === 1,
    );
    // What waits is sent before the end.
    await site.close();

    const request = spans.find(({ name }) => name === "GET /incidents/:id")!;
    expect(request).toMatchObject({ traceId: trace_id, parentSpanId: "b7ad6b7169203331", kind: 2 });
    expect(valuesOf(request.attributes)).toMatchObject({
      "http.request.method": "GET",
      "http.response.status_code": 404,
    });
    const message = spans.find(({ name }) => name === "process telemetry")!;
    expect(message.kind).toBe(5);
    expect(valuesOf(message.attributes)).toMatchObject({
      "skadi.rack_id": "R-C-07",
      "messaging.system": "mqtt",
    });
    expect(resources[0]).toMatchObject({ "service.name": "skadi-aggregator", "service.namespace": "dc1" });
    expect(new Set(headers)).toEqual(new Set(["Bearer of-the-collector"]));
  });

  it("that nobody collects neither hold the aggregator up nor keep it from stopping", async () => {
    const site = await testSite({
      config: { traces: { otlp_url: `http://127.0.0.1:${await freeTcpPort()}/v1/traces`, sample_ratio: 1 } },
    });
    expect((await site.get("/health")).status).toBe(200);
    await site.close();
  });
});
