import * as z from "zod";
import { Report } from "../../../shared/contracts/report.ts";
import { judgesReport } from "../../report/judges.ts";
import { reportPage } from "../../report/page.ts";
import { reportPeriod } from "../../report/period.ts";
import { refuseCrowd } from "../../store/in-parts.ts";
import type { ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs } from "../instant.ts";

const Span = z.object({
  from: Instant.optional().describe("by default 24 hours before `to`"),
  to: Instant.optional().describe("by default now"),
});

async function report(
  { clock, fleet, report }: ApiContext,
  { from, to }: z.infer<typeof Span>,
): Promise<Report> {
  const now_ms = clock.now();
  const ms = (text: string | undefined) => (text === undefined ? undefined : instantMs(text));
  const period = reportPeriod({ from_ms: ms(from), to_ms: ms(to) }, now_ms);
  refuseCrowd(period, fleet.racks.length);
  return judgesReport(report, period, now_ms);
}

export const reportRoutes: RouteGroup = (api, context) => {
  for (const method of ["GET", "POST"] as const) {
    api.route({
      method,
      url: "/report/judges",
      schema: {
        tags: ["report"],
        summary: "State, deviations, MMS, incidents, actions, savings and timeline in one document",
        querystring: Span,
        response: { 200: Report, "4xx": ErrorBody },
      },
      handler: async (request) => report(context, request.query),
    });
  }
  api.get("/report/judges.html", {
    schema: {
      tags: ["report"],
      summary: "The same as a page with pictures that prints to PDF",
      produces: ["text/html"],
      querystring: Span,
      response: { 200: z.string(), "4xx": ErrorBody },
    },
    handler: async (request, reply) =>
      reply.type("text/html; charset=utf-8").send(reportPage(await report(context, request.query))),
  });
};
