import * as z from "zod";
import { TimelineAnswer } from "../../../shared/contracts/answers.ts";
import { skadiError } from "../../../shared/errors.ts";
import { isoTime } from "../../../shared/time.ts";
import { readInParts, refuseCrowd } from "../../store/in-parts.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs, withinKept } from "../instant.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Of a year and more so many that one step is read without anybody noticing. */
const POINTS_MAX = 2_000;

export const timelineRoutes: RouteGroup = (api, context) => {
  api.get("/timeline", {
    schema: {
      tags: ["state"],
      summary: "Site figures in steps and what happened, as far as they are kept; the last hour by default",
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
      const { clock, config, fleet, store } = context;
      const now_ms = clock.now();
      const asked_to_ms = to === undefined ? now_ms : instantMs(to);
      const asked_from_ms = from === undefined ? asked_to_ms - HOUR_MS : instantMs(from);
      if (asked_from_ms > asked_to_ms)
        throw skadiError("SKADI_INVALID_FIELD", {
          field: "from",
          value: from,
          expected: "an instant before `to`",
        });
      const { from_ms, to_ms } = withinKept(
        { from_ms: asked_from_ms, to_ms: asked_to_ms },
        now_ms,
        config.store.rollup_days * 24 * HOUR_MS,
      );
      const step_ms = MINUTE_MS * Math.max(1, Math.ceil((to_ms - from_ms) / MINUTE_MS / POINTS_MAX));
      // Nothing is looked for in a past of which nothing is kept; the store's range includes its end.
      const span = {
        from_ms: Math.max(from_ms, store.rollups.oldestMs() ?? to_ms),
        to_ms: to_ms + 1,
        step_ms,
      };
      refuseCrowd(span, fleet.racks.length);
      const steps = await readInParts(span, fleet.racks.length, (first, last) =>
        store.rollups.timeline(first, last, step_ms),
      );
      return {
        from: isoTime(from_ms),
        to: isoTime(to_ms),
        step_s: step_ms / 1000,
        points: steps.map(({ ts_ms, ...step }) => ({ ts: isoTime(ts_ms), ...step })),
        events: store.events.between(from_ms, to_ms, limit),
      };
    },
  });
};
