import * as z from "zod";
import { ScheduleReport } from "../../../shared/contracts/schedule.ts";
import type { RouteGroup } from "../context.ts";

export const scheduleRoutes: RouteGroup = (api, context) => {
  api.get("/schedules", {
    schema: {
      tags: ["health"],
      summary: "Scheduled work: last run, what came of it, next run",
      response: { 200: z.object({ schedules: z.array(ScheduleReport) }) },
    },
    handler: async () => ({ schedules: context.schedules.list() }),
  });
};
