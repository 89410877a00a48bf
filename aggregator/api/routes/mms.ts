import * as z from "zod";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Figure = z.number().nullable();
const State = z.object({
  mode: z.enum(["floor", "likelihood"]),
  /** D where nominal operation is at its worst, and in the anomalies that are looked for. */
  nominal_d: Figure,
  anomalous_d: Figure,
  log_std: Figure,
  effective_share: Figure,
  alarm_log_odds: Figure,
  clear_log_odds: Figure,
  confirmed: z.int(),
  rejected: z.int(),
});

function state({ config, mms }: ApiContext): z.infer<typeof State> {
  const now = mms.models();
  return {
    mode: config.mms.mode,
    nominal_d: now && Math.exp(now.score_models.nominal_log_mean),
    anomalous_d: now && Math.exp(now.score_models.anomalous_log_mean),
    log_std: now?.score_models.log_std ?? null,
    effective_share: now?.score_models.effective_share ?? null,
    alarm_log_odds: now?.bounds.alarm ?? null,
    clear_log_odds: now?.bounds.clear ?? null,
    confirmed: now?.refinement.confirmed ?? 0,
    rejected: now?.refinement.rejected ?? 0,
  };
}

export const mmsRoutes: RouteGroup = (api, context) => {
  api.get("/mms", {
    schema: {
      tags: ["incidents"],
      summary: "The score models that MMS decides by",
      response: { 200: State },
    },
    handler: async () => state(context),
  });
  api.post("/mms/reset", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["incidents"],
      summary: "Forgets what confirmed and rejected incidents taught",
      security: TOKEN_SECURITY,
      response: { 200: State, "4xx": ErrorBody },
    },
    handler: async () => {
      context.mms.forget();
      return state(context);
    },
  });
};
