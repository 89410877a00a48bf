import * as z from "zod";
import { Action, Mode } from "../../../shared/contracts/action.ts";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Errors = z.object({
  inlet_c: z.number(),
  outlet_c: z.number(),
  pdu_kw: z.number(),
  latency_p95_ms: z.number(),
});

const Tick = z.object({
  ts: Timestamp,
  mode: Mode,
  skipped: z.enum(["kill_switch", "no_model", "no_fresh_data", "switchback"]).nullable(),
  rejected: z.record(z.string(), z.int()).describe("racks left out and candidates refused, by reason"),
  actions: z.array(Action),
  policy: z.enum(["predictive", "described"]).describe("what decided in this round"),
  fallback: z
    .string()
    .nullable()
    .describe("why the described policy decided although the predictive one is set"),
  explanations: z.array(z.string()).describe("limits that the plan cannot meet within one step, in words"),
  plan_ms: z.number().min(0),
  solver: z
    .object({ status: z.string(), iterations: z.int(), columns: z.int() })
    .nullable()
    .describe("of the linear program; null where none was solved"),
  prediction: z
    .object({
      racks: z.int(),
      one_step: Errors.describe("one minute ahead"),
      ten_minutes: Errors.extend({ tokens_ps: z.number(), count: z.int() }).nullable(),
    })
    .describe("RMS of measured minus predicted"),
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
