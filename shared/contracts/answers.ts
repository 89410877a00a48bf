import * as z from "zod";
import { Action, Mode } from "./action.ts";
import { DriftReport, RetrainingReport } from "./drift.ts";
import { Timestamp } from "./envelope.ts";
import { EventBody } from "./event.ts";
import { Incident, MaintenanceWindow } from "./incident.ts";
import { SimulatorStatus } from "./messages.ts";
import { Figure, Overrides } from "./overview.ts";

/** What the aggregator's routes answer, where clients of this repository read it as well. */

export const ModeAnswer = z.object({
  mode: Mode,
  kill_switch: z.boolean(),
  overrides: Overrides.optional(),
});
export type ModeAnswer = z.infer<typeof ModeAnswer>;

export const ActionAnswer = z.object({ action: Action });
export const ActionsAnswer = z.object({ actions: z.array(Action), total: z.int() });

export const IncidentAnswer = z.object({ incident: Incident });
export const IncidentsAnswer = z.object({ incidents: z.array(Incident) });

export const WindowAnswer = z.object({ window: MaintenanceWindow });
export const WindowsAnswer = z.object({ windows: z.array(MaintenanceWindow) });
export const CancelledAnswer = z.object({ cancelled: z.string() });

const TimelinePoint = z.object({
  ts: Timestamp,
  racks: z.int(),
  inlet_mean_c: Figure,
  inlet_max_c: Figure,
  latency_mean_ms: Figure,
  d_mean: Figure,
  d_max: Figure,
  energy_kwh: z.number(),
  tokens: z.number(),
});
export const TimelineAnswer = z.object({
  from: Timestamp,
  to: Timestamp,
  step_s: z.number(),
  points: z.array(TimelinePoint),
  /** Newest first. */
  events: z.array(EventBody),
});

export const PlayedAnswer = z.object({
  scenario: z.string(),
  action: z.enum(["start", "stop"]),
  duration_s: z.number().nullable(),
});
export const ScenariosAnswer = z.object({
  simulator: z.boolean().describe("whether a simulator is connected"),
  scenarios: SimulatorStatus.shape.scenarios,
  running: SimulatorStatus.shape.running,
});

export const DriftAnswer = z.object({
  drift: DriftReport.nullable().describe("the last check of the model in force; null before the first"),
  retraining: RetrainingReport.nullable().describe("the last one; null before the first"),
});
export type DriftAnswer = z.infer<typeof DriftAnswer>;
