import type { RouteGroup } from "../context.ts";
import { actionRoutes } from "./actions.ts";
import { auditRoutes } from "./audit.ts";
import { demoRoutes } from "./demo.ts";
import { driftRoutes } from "./drift.ts";
import { eventRoutes } from "./events.ts";
import { exportRoutes } from "./export.ts";
import { healthRoutes } from "./health.ts";
import { imsRoutes } from "./ims.ts";
import { incidentRoutes } from "./incidents.ts";
import { metricsRoutes } from "./metrics.ts";
import { mmsRoutes } from "./mms.ts";
import { modeRoutes } from "./mode.ts";
import { modelRoutes } from "./models.ts";
import { optimizerRoutes } from "./optimizer.ts";
import { quarantineRoutes } from "./quarantine.ts";
import { rackRoutes } from "./racks.ts";
import { reportRoutes } from "./report.ts";
import { savingsRoutes } from "./savings.ts";
import { scheduleRoutes } from "./schedules.ts";
import { stateRoutes } from "./state.ts";
import { telemetryRoutes } from "./telemetry.ts";
import { timelineRoutes } from "./timeline.ts";

export const ROUTE_GROUPS: readonly RouteGroup[] = [
  telemetryRoutes,
  exportRoutes,
  imsRoutes,
  driftRoutes,
  modelRoutes,
  stateRoutes,
  rackRoutes,
  timelineRoutes,
  optimizerRoutes,
  actionRoutes,
  modeRoutes,
  incidentRoutes,
  mmsRoutes,
  demoRoutes,
  auditRoutes,
  quarantineRoutes,
  savingsRoutes,
  reportRoutes,
  scheduleRoutes,
  healthRoutes,
  metricsRoutes,
  eventRoutes,
];
