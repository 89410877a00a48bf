import * as z from "zod";
import { Mode } from "../../../shared/contracts/action.ts";
import { ModeAnswer } from "../../../shared/contracts/answers.ts";
import { RackId } from "../../../shared/contracts/rack.ts";
import type { ModeState } from "../../control/mode.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Scope = z.union([z.strictObject({ row: z.string() }), z.strictObject({ rack_id: RackId })]);
const Change = z
  .object({
    mode: Mode.nullable().optional().describe("null removes the override of the scope"),
    kill_switch: z.boolean().optional().describe("of the whole site, always"),
    scope: Scope.optional().describe("{row} or {rack_id}: the mode is meant for these racks alone"),
  })
  .refine((change) => change.mode !== undefined || change.kill_switch !== undefined, {
    path: ["mode"],
    error: "mode, kill_switch or both",
  })
  .refine((change) => change.scope !== undefined || change.mode !== null, {
    path: ["mode"],
    error: "advisory or closed_loop, unless there is a scope",
  })
  .refine((change) => change.scope === undefined || change.mode !== undefined, {
    path: ["mode"],
    error: "a mode, or null, for the scope",
  });

/** As clients know it: without overrides there are two fields. */
function modeBody({ mode, kill_switch, overrides }: ModeState): ModeAnswer {
  const { rows, racks } = overrides;
  const none = Object.keys(rows).length + Object.keys(racks).length === 0;
  return { mode, kill_switch, ...(none ? {} : { overrides }) };
}

export const modeRoutes: RouteGroup = (api, context) => {
  api.get("/mode", {
    schema: {
      tags: ["mode"],
      summary: "Mode and kill switch, and where rows or racks differ",
      response: { 200: ModeAnswer, "4xx": ErrorBody },
    },
    handler: async () => modeBody(context.mode.get()),
  });
  api.post("/mode", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["mode"],
      summary: "Sets them for the aggregator and the agents concerned: all, one row's or one rack's",
      security: TOKEN_SECURITY,
      body: Change,
      response: { 200: ModeAnswer, "4xx": ErrorBody },
    },
    handler: async (request) => {
      const { mode, kill_switch, scope } = request.body;
      const changed = context.mode.set({
        ...(mode === undefined ? {} : { mode }),
        ...(kill_switch === undefined ? {} : { kill_switch }),
        scope,
      });
      return modeBody(changed);
    },
  });
};
