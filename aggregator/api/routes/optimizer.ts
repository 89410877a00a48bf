import { z } from "zod";
import { Action, Mode } from "../../../shared/contracts/action.ts";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Tick = z.object({
  ts: Timestamp,
  mode: Mode,
  skipped: z.enum(["kill_switch", "no_model", "no_fresh_data", "switchback"]).nullable(),
  rejected: z.record(z.string(), z.int()).describe("racks left out and candidates refused, by reason"),
  actions: z.array(Action),
});

export const optimizerRoutes: RouteGroup = (api, context) => {
  api.post("/optimizer/tick", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["optimizer"],
      summary: "Runs the slow loop once, now; the spacing between changes of one device still holds",
      security: TOKEN_SECURITY,
      response: { 200: Tick, "4xx": ErrorBody },
    },
    handler: async () => context.optimizer.tick(),
  });
};
