import * as z from "zod";
import { TimelineAnswer } from "../../../shared/contracts/answers.ts";
import { skadiError } from "../../../shared/errors.ts";
import { isoTime } from "../../../shared/time.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs } from "../instant.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const POINTS_MAX = 600;

export const timelineRoutes: RouteGroup = (api, context) => {
  api.get("/timeline", {
    schema: {
      tags: ["state"],
      summary: "Site figures in steps and what happened; the last hour by default",
      querystring: z.object({
        from: Instant.optional(),
        to: Instant.optional(),
        limit: z.coerce.number().int().min(1).max(10_000).default(500).describe("of events"),
      }),
      response: {
        200: TimelineAnswer,
        "4xx": ErrorBody,
      },
    },
    handler: async (request) => {
      const { from, to, limit } = request.query;
      const to_ms = to === undefined ? context.clock.now() : instantMs(to);
      const from_ms = from === undefined ? to_ms - HOUR_MS : instantMs(from);
      if (from_ms > to_ms)
        throw skadiError("SKADI_INVALID_FIELD", {
          field: "from",
          value: from,
          expected: "an instant before `to`",
        });
      const step_ms = MINUTE_MS * Math.max(1, Math.ceil((to_ms - from_ms) / MINUTE_MS / POINTS_MAX));
      const steps = context.store.rollups.timeline(from_ms, to_ms, step_ms);
      return {
        from: isoTime(from_ms),
        to: isoTime(to_ms),
        step_s: step_ms / 1000,
        points: steps.map(({ ts_ms, ...step }) => ({ ts: isoTime(ts_ms), ...step })),
        events: context.store.events.between(from_ms, to_ms, limit),
      };
    },
  });
};
