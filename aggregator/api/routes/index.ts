import type { RouteGroup } from "../context.ts";
import { actionRoutes } from "./actions.ts";
import { demoRoutes } from "./demo.ts";
import { eventRoutes } from "./events.ts";
import { healthRoutes } from "./health.ts";
import { imsRoutes } from "./ims.ts";
import { incidentRoutes } from "./incidents.ts";
import { mmsRoutes } from "./mms.ts";
import { modeRoutes } from "./mode.ts";
import { optimizerRoutes } from "./optimizer.ts";
import { reportRoutes } from "./report.ts";
import { scheduleRoutes } from "./schedules.ts";
import { stateRoutes } from "./state.ts";
import { telemetryRoutes } from "./telemetry.ts";
import { timelineRoutes } from "./timeline.ts";

export const ROUTE_GROUPS: readonly RouteGroup[] = [
  telemetryRoutes,
  imsRoutes,
  stateRoutes,
  timelineRoutes,
  optimizerRoutes,
  actionRoutes,
  modeRoutes,
  incidentRoutes,
  mmsRoutes,
  demoRoutes,
  reportRoutes,
  scheduleRoutes,
  healthRoutes,
  eventRoutes,
];
