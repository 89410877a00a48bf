import { DriftAnswer } from "../../../shared/contracts/answers.ts";
import type { RouteGroup } from "../context.ts";

export const driftRoutes: RouteGroup = (api, context) => {
  api.get("/drift", {
    schema: {
      tags: ["models"],
      summary:
        "Whether site, rows and racks still run as the active model learnt, and what retraining came to",
      response: { 200: DriftAnswer },
    },
    handler: async () => ({ drift: context.drift.last(), retraining: context.retraining.last() }),
  });
};
