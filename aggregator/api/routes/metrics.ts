import * as z from "zod";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

export const metricsRoutes: RouteGroup = (api, { metrics }) => {
  api.get("/metrics", {
    schema: {
      tags: ["health"],
      summary: "Prometheus' page: docs/integrations.md lists the metrics",
      produces: ["text/plain"],
      response: { 200: z.string(), "4xx": ErrorBody },
    },
    handler: async (_request, reply) => reply.type(metrics.page.content_type).send(await metrics.page.text()),
  });
};
