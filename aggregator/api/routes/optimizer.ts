import { OptimizerAnswer, OptimizerRound } from "../../../shared/contracts/optimizer.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

export const optimizerRoutes: RouteGroup = (api, context) => {
  api.get("/optimizer", {
    schema: {
      tags: ["optimizer"],
      summary: "What decided in the slow loop's last round, what came of it, and why not more",
      response: { 200: OptimizerAnswer },
    },
    handler: async () => {
      const { policy, interval_s } = context.config.optimizer;
      return { policy, interval_s, last: context.optimizer.last() };
    },
  });

  api.post("/optimizer/tick", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["optimizer"],
      summary: "Runs the slow loop once, now; the spacing between changes of one device still holds",
      security: TOKEN_SECURITY,
      response: { 200: OptimizerRound, "4xx": ErrorBody },
    },
    handler: async () => context.optimizer.tick(),
  });
};
