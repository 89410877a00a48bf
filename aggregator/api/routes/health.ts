import * as z from "zod";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { isoTime } from "../../../shared/time.ts";
import { packageVersion } from "../../../shared/version.ts";
import { agentOnline } from "../../fleet.ts";
import type { ApiContext, RouteGroup } from "../context.ts";

const Health = z.object({
  status: z.enum(["ok", "degraded"]),
  problems: z.array(z.string()),
  version: z.string(),
  site: z.string(),
  ts: Timestamp,
  uptime_s: z.number(),
  model_id: z.string().nullable(),
  counters: z.object({
    accepted: z.int(),
    duplicates: z.int(),
    late: z.int(),
    lost: z.int(),
    scores_agent: z.int(),
    scores_aggregator: z.int(),
    scores_second: z.int(),
    scores_orphan: z.int(),
    rejected_total: z.int(),
    rejected: z.record(z.string(), z.int()),
    actions: z.int(),
    commands: z.int(),
    commands_refused: z.int(),
    refused_publishes: z.int(),
  }),
  /** Racks whose sequence has gaps, with the number of missing samples. */
  lost_by_rack: z.record(z.string(), z.int()),
  notifications: z.record(
    z.string(),
    z.object({ sent: z.int(), failed: z.int(), given_up: z.int(), waiting: z.int() }),
  ),
});

export const healthRoutes: RouteGroup = (api, context) => {
  const version = packageVersion();
  api.get("/health", {
    schema: { tags: ["health"], summary: "Whether all is well, and the counters", response: { 200: Health } },
    handler: async () => {
      const problems = findProblems(context);
      const lossy = context.fleet.racks.filter((rack) => rack.lost > 0);
      return {
        status: problems.length === 0 ? ("ok" as const) : ("degraded" as const),
        problems,
        version,
        site: context.config.site,
        ts: isoTime(context.clock.now()),
        uptime_s: (performance.now() - context.started_ms) / 1000,
        model_id: context.rollouts.scorer()?.model.id ?? null,
        counters: context.counters,
        notifications: context.notifier.counts(),
        lost_by_rack: Object.fromEntries(lossy.map((rack) => [rack.rack_id, rack.lost])),
      };
    },
  });
};

function findProblems({ broker_connected, rollouts, fleet, mode, schedules }: ApiContext): string[] {
  const disobedient = fleet.racks
    .filter((rack) => agentOnline(rack) && rack.status?.mode !== mode.of(rack.rack_id))
    .map((rack) => rack.rack_id);
  return [
    ...(broker_connected() ? [] : ["the MQTT broker cannot be reached"]),
    ...(rollouts.scorer() ? [] : ["no valid model is loaded"]),
    ...schedules
      .list()
      .filter(({ last_run }) => last_run?.outcome === "failed")
      .map(({ name, last_run }) => `the last scheduled ${name} failed: ${last_run?.detail}`),
    ...(disobedient.length > 0 ? [`agents in another mode than ordered: ${disobedient.join(", ")}`] : []),
  ];
}
