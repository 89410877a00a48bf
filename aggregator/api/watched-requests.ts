import type { FastifyRequest } from "fastify";
import type { Stopwatch } from "../../shared/metrics.ts";
import type { OpenSpan, Traces } from "../traces/traces.ts";
import type { Api } from "./context.ts";

/** Times every request and, where traces are wanted, makes it a span. */
export function watchRequests(api: Api, took: Stopwatch, traces: Traces | null): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  if (traces) {
    api.addHook("onRequest", async (request) => {
      const { method } = request;
      const attributes = { "http.request.method": method, "http.route": routeOf(request) };
      const name = `${method} ${routeOf(request)}`;
      const { traceparent } = request.headers;
      const parent = typeof traceparent === "string" ? traceparent : undefined;
      spans.set(request, traces.begin("server", name, attributes, parent));
    });
  }
  api.addHook("onResponse", async (request, reply) => {
    const status = reply.statusCode;
    took(reply.elapsedTime / 1000, {
      method: request.method,
      route: routeOf(request),
      status: String(status),
    });
    const attributes = { "http.response.status_code": status };
    spans.get(request)?.end({ failed: status >= 500, attributes });
  });
}

/** The route's pattern, never the path: their number must be bounded. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "(none)";
}
