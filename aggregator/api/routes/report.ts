import { z } from "zod";
import { Action } from "../../../shared/contracts/action.ts";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { Incident } from "../../../shared/contracts/incident.ts";
import { Score } from "../../../shared/contracts/score.ts";
import { isoTime } from "../../../shared/time.ts";
import { siteReport } from "../../report.ts";
import type { ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { currentOverview, Overview } from "./state.ts";
import { EventBody } from "./timeline.ts";

const Report = z.object({
  generated_at: Timestamp,
  overview: Overview.omit({ rack_list: true }),
  deviations: z.array(
    z.object({ rack_id: z.string(), d: z.number(), share_of_tau_fast: z.number(), state: z.string() }),
  ),
  persistent: z.array(z.string()),
  actions: z.object({
    total: z.int(),
    by_outcome: z.record(z.string(), z.int()),
    predicted_saving_kw: z.number(),
    realized_saving_kw: z.number(),
    recent: z.array(Action),
  }),
  scores: z.array(Score),
  anomalies: z.array(EventBody),
  incidents: z.array(Incident),
});

const RECENT = 20;
const DAY_MS = 86_400_000;

function report(context: ApiContext): z.infer<typeof Report> {
  const { store, clock } = context;
  const now_ms = clock.now();
  return {
    generated_at: isoTime(now_ms),
    ...siteReport(currentOverview(context), store.actions.recent(1_000), store.actions.count()),
    scores: store.samples.recentScores(RECENT),
    incidents: context.incidents.recent({ limit: RECENT }),
    anomalies: store.events.between(now_ms - DAY_MS, now_ms, 1_000).filter((event) => event.type === "mms"),
  };
}

export const reportRoutes: RouteGroup = (api, context) => {
  for (const method of ["GET", "POST"] as const) {
    api.route({
      method,
      url: "/report/judges",
      schema: {
        tags: ["report"],
        summary: "State, deviations, classifications, actions and anomalies in one document",
        response: { 200: Report, "4xx": ErrorBody },
      },
      handler: async () => report(context),
    });
  }
};
