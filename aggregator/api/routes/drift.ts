import * as z from "zod";
import { DriftReport, RetrainingReport } from "../../../shared/contracts/drift.ts";
import type { RouteGroup } from "../context.ts";

export const driftRoutes: RouteGroup = (api, context) => {
  api.get("/drift", {
    schema: {
      tags: ["models"],
      summary:
        "Whether site, rows and racks still run as the active model learnt, and what retraining came to",
      response: {
        200: z.object({
          drift: DriftReport.nullable().describe(
            "the last check of the model in force; null before the first",
          ),
          retraining: RetrainingReport.nullable().describe("the last one; null before the first"),
        }),
      },
    },
    handler: async () => ({ drift: context.drift.last(), retraining: context.retraining.last() }),
  });
};
