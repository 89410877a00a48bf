import * as z from "zod";
import { type Action, RackTarget } from "../../../shared/contracts/action.ts";
import { ActionAnswer, ActionsAnswer } from "../../../shared/contracts/answers.ts";
import { RackId } from "../../../shared/contracts/rack.ts";
import { type ApplyContext, applyAdvice, applySetpoint } from "../../actions/apply.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

/** Two forms, told apart in the handler, so that a wrong field is named rather than a wrong union. */
const Apply = z
  .object({
    action_id: z.string().optional().describe("approves this recommendation"),
    rack_id: RackId.optional(),
    target: RackTarget.optional(),
    value: z.number().nullable().optional().describe("null hands the device back to its own control"),
    reason: z.string().max(200).default("set by an operator"),
  })
  .superRefine((body, check) => {
    if (body.action_id !== undefined) return;
    for (const field of ["rack_id", "target", "value"] as const) {
      if (body[field] !== undefined) continue;
      check.addIssue({
        code: "custom",
        path: [field],
        input: undefined,
        message: "a value, unless action_id is given",
      });
    }
  });

export const actionRoutes: RouteGroup = (api, context) => {
  api.post("/actions/apply", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["actions"],
      summary: "Sends a setpoint to a rack's agent, or approves a recommendation",
      description: "The agent has the last word: its limits, its guardrail and its mode hold.",
      security: TOKEN_SECURITY,
      body: Apply,
      response: { 200: ActionAnswer, "4xx": ErrorBody },
    },
    handler: async (request) => ({ action: apply(context, request.body) }),
  });
  api.get("/actions/log", {
    schema: {
      tags: ["actions"],
      summary: "Actions, newest first",
      querystring: z.object({ limit: z.coerce.number().int().min(1).max(10_000).default(100) }),
      response: { 200: ActionsAnswer, "4xx": ErrorBody },
    },
    handler: async (request) => ({
      actions: context.store.actions.recent(request.query.limit),
      total: context.store.actions.count(),
    }),
  });
};

function apply(context: ApiContext, body: z.infer<typeof Apply>): Action {
  const { clock, config, fleet, mode, store, actions } = context;
  const parts: ApplyContext = { clock, actuators: config.actuators, fleet, mode, store, actions };
  if (body.action_id !== undefined) return applyAdvice(parts, body.action_id);
  const { rack_id, target, value } = body;
  return applySetpoint(parts, { rack_id: rack_id!, target: target!, value: value ?? null }, body.reason);
}
