import { Readable } from "node:stream";
import * as z from "zod";
import { skadiError } from "../../../shared/errors.ts";
import { csvText } from "../../exchange/export.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs } from "../instant.ts";

const HOUR_MS = 3_600_000;

export const exportRoutes: RouteGroup = (api, context) => {
  api.get("/export", {
    schema: {
      tags: ["telemetry"],
      summary: "Stored telemetry and its scores as CSV; the last hour by default",
      produces: ["text/csv"],
      querystring: z.object({ from: Instant.optional(), to: Instant.optional().describe("not included") }),
      response: { 200: z.string(), "4xx": ErrorBody },
    },
    handler: async ({ query }, reply) => {
      const to_ms = query.to === undefined ? context.clock.now() : instantMs(query.to);
      const from_ms = query.from === undefined ? to_ms - HOUR_MS : instantMs(query.from);
      if (from_ms >= to_ms) {
        const expected = "an instant before `to`";
        throw skadiError("SKADI_INVALID_FIELD", { field: "from", value: query.from, expected });
      }
      reply
        .type("text/csv; charset=utf-8")
        .header("content-disposition", 'attachment; filename="telemetry.csv"');
      const text = Readable.from(csvText(context.store.samples.page, { from_ms, to_ms }));
      // The schema is of the text; that it comes piece by piece is nothing that it could say.
      return reply.send(text as unknown as string);
    },
  });
};
