import * as z from "zod";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { skadiError } from "../../../shared/errors.ts";
import { isoTime } from "../../../shared/time.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs } from "../instant.ts";

const Bounds = z.tuple([z.number(), z.number()]);

const Savings = z.object({
  method: z
    .enum(["switchback", "matched_regression"])
    .describe("switchback: unoptimised times lie among the optimised ones"),
  estimate: z
    .object({
      baseline_kwh: z
        .number()
        .describe("what the unoptimised plant would have used at the same load and hours"),
      actual_kwh: z.number().describe("racks and fans measured; pumps and cooling plant modelled"),
      saved_kwh: z.number(),
      saved_pct: z.number(),
      saved_kwh_interval: Bounds.describe("95 %"),
      saved_pct_interval: Bounds.describe("95 %"),
    })
    .nullable()
    .describe("null where it cannot be told; see warnings"),
  optimised_hours: z.number(),
  training: z.object({
    hours: z.number().describe("of unoptimised operation"),
    hours_of_day: z.int(),
    coverage: z.number().describe("share of the optimised time whose load and hour were seen in training"),
    r_squared: z.number().nullable(),
    residual_pct: z.number().nullable(),
  }),
  warnings: z.array(z.string()),
});

const DAY_MS = 86_400_000;

export const savingsRoutes: RouteGroup = (api, context) => {
  api.get("/savings", {
    schema: {
      tags: ["savings"],
      summary: "What was saved against the unoptimised plant, with its uncertainty; the last 24 h by default",
      querystring: z.object({ from: Instant.optional(), to: Instant.optional() }),
      response: { 200: Savings.extend({ from: Timestamp, to: Timestamp }), "4xx": ErrorBody },
    },
    handler: async ({ query }) => {
      const to_ms = query.to === undefined ? context.clock.now() : instantMs(query.to);
      const from_ms = query.from === undefined ? to_ms - DAY_MS : instantMs(query.from);
      if (from_ms >= to_ms) {
        const expected = "an instant before `to`";
        throw skadiError("SKADI_INVALID_FIELD", { field: "from", value: query.from, expected });
      }
      const report = context.savings.savings(from_ms, to_ms);
      return { from: isoTime(from_ms), to: isoTime(to_ms), ...report };
    },
  });
};
