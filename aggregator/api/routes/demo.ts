import * as z from "zod";
import { PlayedAnswer, ScenariosAnswer } from "../../../shared/contracts/answers.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Play = z.object({
  scenario: z.string().min(1).max(64),
  action: z.enum(["start", "stop"]).default("start"),
  duration_s: z.number().positive().max(86_400).optional(),
  duration_minutes: z.number().positive().max(1_440).optional(),
});

const DEFAULT_DURATION_S = 180;

export const demoRoutes: RouteGroup = (api, context) => {
  api.post("/demo/scenario", {
    schema: {
      tags: ["demo"],
      summary: "Starts or stops a scenario of the connected simulator",
      body: Play,
      response: { 200: PlayedAnswer, "4xx": ErrorBody, "5xx": ErrorBody },
    },
    handler: async (request) => {
      const { scenario, action, duration_s, duration_minutes } = request.body;
      const minutes_s = duration_minutes === undefined ? undefined : duration_minutes * 60;
      const seconds = action === "start" ? (duration_s ?? minutes_s ?? DEFAULT_DURATION_S) : null;
      return { scenario: context.simulator.play(scenario, seconds), action, duration_s: seconds };
    },
  });
  api.get("/demo/scenarios", {
    schema: {
      tags: ["demo"],
      summary: "What the connected simulator can play, and what it plays now",
      response: { 200: ScenariosAnswer, "4xx": ErrorBody },
    },
    handler: async () => {
      const status = context.simulator.status();
      const { scenarios, running } = status ?? { scenarios: [], running: [] };
      return { simulator: status !== null, scenarios, running };
    },
  });
};
