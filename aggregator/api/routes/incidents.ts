import * as z from "zod";
import {
  CancelledAnswer,
  IncidentAnswer,
  IncidentsAnswer,
  WindowAnswer,
  WindowsAnswer,
} from "../../../shared/contracts/answers.ts";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { IncidentStatus, Severity } from "../../../shared/contracts/incident.ts";
import { RackId } from "../../../shared/contracts/rack.ts";
import { isoTime } from "../../../shared/time.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const TEXT_MAX = 2_000;
const NAME_MAX = 80;

const Word = z.object({
  by: z.string().trim().min(1).max(NAME_MAX).default("operator"),
  text: z.string().max(TEXT_MAX).default(""),
});
const Annotation = Word.extend({ text: z.string().trim().min(1).max(TEXT_MAX) });
const Id = z.object({ id: z.string().min(1).max(64) });
const Answer = { 200: IncidentAnswer, "4xx": ErrorBody };

const Plan = z.object({
  rack_id: RackId.nullable().default(null),
  row: z.string().max(2).nullable().default(null),
  from: Timestamp.optional().describe("now, if left out"),
  to: Timestamp,
  reason: z.string().max(TEXT_MAX).default(""),
});

export const incidentRoutes: RouteGroup = (api, context) => {
  const { incidents, maintenance, clock, token } = context;
  const control = { onRequest: requireToken(token) };

  api.get("/incidents", {
    schema: {
      tags: ["incidents"],
      summary: "Incidents, newest first",
      querystring: z.object({
        status: IncidentStatus.optional(),
        severity: Severity.optional(),
        limit: z.coerce.number().int().min(1).max(1_000).default(100),
      }),
      response: { 200: IncidentsAnswer, "4xx": ErrorBody },
    },
    handler: async (request) => ({ incidents: incidents.recent(request.query) }),
  });
  api.get("/incidents/:id", {
    schema: {
      tags: ["incidents"],
      summary: "One incident with racks, cause, evidence and timeline",
      params: Id,
      response: Answer,
    },
    handler: async (request) => ({ incident: incidents.get(request.params.id) }),
  });

  const WORDS = {
    ack: { summary: "Somebody looks after it", run: incidents.acknowledge },
    close: {
      summary: "Ends it by hand; it opens again if an alarm comes back after it has ended",
      run: incidents.close,
    },
    confirm: {
      summary: "It was real: the anomalous score model learns from it",
      run: (id: string, by: string, text: string) => incidents.judge(id, "confirmed", by, text),
    },
    reject: {
      summary: "It was a false alarm: the nominal score model learns from it",
      run: (id: string, by: string, text: string) => incidents.judge(id, "rejected", by, text),
    },
  };
  for (const [word, { summary, run }] of Object.entries(WORDS)) {
    api.post(`/incidents/:id/${word}`, {
      ...control,
      schema: {
        tags: ["incidents"],
        summary,
        security: TOKEN_SECURITY,
        params: Id,
        body: Word.prefault({}),
        response: Answer,
      },
      handler: async (request) => ({ incident: run(request.params.id, request.body.by, request.body.text) }),
    });
  }
  api.post("/incidents/:id/annotate", {
    ...control,
    schema: {
      tags: ["incidents"],
      summary: "Adds a line to its timeline",
      security: TOKEN_SECURITY,
      params: Id,
      body: Annotation,
      response: Answer,
    },
    handler: async (request) => ({
      incident: incidents.annotate(request.params.id, request.body.by, request.body.text),
    }),
  });

  api.get("/maintenance", {
    schema: {
      tags: ["incidents"],
      summary: "Maintenance windows, the next to end first",
      response: { 200: WindowsAnswer },
    },
    handler: async () => ({ windows: maintenance.all() }),
  });
  api.post("/maintenance", {
    ...control,
    schema: {
      tags: ["incidents"],
      summary:
        "Announces work on a rack, a row or (neither given) the site: nobody is notified of what begins there",
      security: TOKEN_SECURITY,
      body: Plan,
      response: { 200: WindowAnswer, "4xx": ErrorBody },
    },
    handler: async (request) => {
      const { from = isoTime(clock.now()), ...plan } = request.body;
      return { window: maintenance.plan({ ...plan, from }) };
    },
  });
  api.delete("/maintenance/:id", {
    ...control,
    schema: {
      tags: ["incidents"],
      summary: "Cancels a maintenance window",
      security: TOKEN_SECURITY,
      params: Id,
      response: { 200: CancelledAnswer, "4xx": ErrorBody },
    },
    handler: async (request) => {
      maintenance.cancel(request.params.id);
      return { cancelled: request.params.id };
    },
  });
};
