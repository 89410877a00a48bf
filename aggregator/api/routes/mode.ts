import { z } from "zod";
import { Mode } from "../../../shared/contracts/action.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const ModeBody = z.object({ mode: Mode, kill_switch: z.boolean() });
const Change = z
  .object({ mode: Mode.optional(), kill_switch: z.boolean().optional() })
  .refine((change) => change.mode !== undefined || change.kill_switch !== undefined, {
    path: ["mode"],
    error: "mode, kill_switch or both",
  });

export const modeRoutes: RouteGroup = (api, context) => {
  api.get("/mode", {
    schema: {
      tags: ["mode"],
      summary: "Mode and kill switch",
      response: { 200: ModeBody, "4xx": ErrorBody },
    },
    handler: async () => context.mode.get(),
  });
  api.post("/mode", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["mode"],
      summary: "Sets them, for the aggregator and every agent",
      security: TOKEN_SECURITY,
      body: Change,
      response: { 200: ModeBody, "4xx": ErrorBody },
    },
    handler: async (request) => {
      const { mode, kill_switch } = request.body;
      return context.mode.set({
        ...(mode === undefined ? {} : { mode }),
        ...(kill_switch === undefined ? {} : { kill_switch }),
      });
    },
  });
};
