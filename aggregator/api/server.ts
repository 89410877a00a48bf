import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import websocket from "@fastify/websocket";
import Fastify, { type FastifyRequest } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { skadiError } from "../../shared/errors.ts";
import { packageVersion } from "../../shared/version.ts";
import { hasToken } from "./auth.ts";
import { jsonBodies, validateWithRejections } from "./body.ts";
import { describeComponents, describeRoutes } from "./components.ts";
import type { Api, ApiContext } from "./context.ts";
import { serveDashboard } from "./dashboard.ts";
import { structuredErrors } from "./errors.ts";
import { ROUTE_GROUPS } from "./routes/index.ts";
import { watchRequests } from "./watched-requests.ts";

export interface ApiServer {
  /** Opens the port; resolves with the real one. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

const BODY_MAX_BYTES = 16 * 1024 * 1024;

/** The HTTP and WebSocket API, its documentation and the dashboard. */
export async function createApiServer(context: ApiContext): Promise<ApiServer> {
  const api: Api = Fastify({
    bodyLimit: BODY_MAX_BYTES,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler(validateWithRejections);
  api.setSerializerCompiler(serializerCompiler);
  structuredErrors(api, context.log);
  jsonBodies(api);
  watchRequests(api, context.metrics.request, context.traces);
  await api.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_SOURCES },
    hsts: false,
  });
  await limitRequests(api, context);
  await api.register(websocket, { options: { maxPayload: 4_096 } });
  await api.register(swagger, {
    openapi: openApiHead(),
    transform: describeRoutes,
    transformObject: describeComponents,
  });
  await api.register(swaggerUi, { routePrefix: "/docs" });
  await api.register(async (scope) => {
    for (const group of ROUTE_GROUPS) group(scope as unknown as Api, context);
  });
  await serveDashboard(api);
  return {
    async listen() {
      const { host, port } = context.config.http;
      try {
        await api.listen({ host, port });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw skadiError("SKADI_BAD_CONFIG", {
          field: "http.port",
          value: port,
          expected: `a free port (${reason})`,
        });
      }
      const address = api.server.address();
      return typeof address === "object" && address ? address.port : port;
    },
    close: () => api.close(),
  };
}

/**
 * A budget of requests per address, which whoever has the token neither uses nor needs: others at the same address, such
 * as everybody behind one proxy, must not keep the kill switch from being pulled.
 */
async function limitRequests(api: Api, { config, token }: ApiContext): Promise<void> {
  await api.register(rateLimit, {
    global: false,
    max: config.http.requests_per_minute,
    timeWindow: 60_000,
    allowList: (request: FastifyRequest) => hasToken(request, token),
    errorResponseBuilder: (_request, { max }) =>
      skadiError("SKADI_RATE_LIMITED", { expected: `≤ ${max} requests per minute` }),
  });
  // Of the server and not of each route, so that it comes before their check of the token: a wrong one counts.
  api.addHook("onRequest", api.rateLimit());
}

/** Scripts from here alone; inline styles and data images are what the documentation's page needs. */
const PAGE_SOURCES = {
  "default-src": ["'self'"],
  "script-src": ["'self'"],
  "style-src": ["'self'", "'unsafe-inline'"],
  "img-src": ["'self'", "data:"],
  // Not every browser counts a WebSocket to the same host as 'self'.
  "connect-src": ["'self'", "ws:", "wss:"],
  "object-src": ["'none'"],
  "base-uri": ["'self'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'self'"],
};

function openApiHead() {
  return {
    openapi: "3.1.0",
    info: {
      title: "Skadi aggregator",
      description: "Telemetry in; scores, states, actions and history out. Errors carry stable codes.",
      version: packageVersion(),
    },
    components: { securitySchemes: { token: { type: "http" as const, scheme: "bearer" } } },
  };
}
