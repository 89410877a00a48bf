import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import * as z from "zod";
import { Action } from "../../shared/contracts/action.ts";
import { EventBody } from "../../shared/contracts/event.ts";
import { CauseVerdict, Incident, MaintenanceWindow } from "../../shared/contracts/incident.ts";
import { Overview } from "../../shared/contracts/overview.ts";
import { Rejection } from "../../shared/contracts/rejection.ts";
import { Report } from "../../shared/contracts/report.ts";
import { ScheduleReport } from "../../shared/contracts/schedule.ts";
import { Score } from "../../shared/contracts/score.ts";
import { TelemetryInput } from "../../shared/contracts/telemetry.ts";
import { ErrorBody, IndexedRejection } from "./errors.ts";

/** What the OpenAPI document names and refers to, instead of saying it again in every route. */
const NAMED = {
  Error: ErrorBody,
  Rejection,
  IndexedRejection,
  Telemetry: TelemetryInput,
  Score,
  Action,
  Incident,
  CauseVerdict,
  MaintenanceWindow,
  Event: EventBody,
  Overview,
  Report,
  ScheduleReport,
};

const schemaRegistry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(NAMED)) schemaRegistry.add(schema, { id });

export const describeRoutes = createJsonSchemaTransform({ schemaRegistry });
const describeAll = createJsonSchemaTransformObject({ schemaRegistry });

type Schemas = Record<string, unknown>;

/** Only what is referred to: of most schemas either the form that is sent or the one that is received is of no use. */
export const describeComponents: typeof describeAll = (document) => {
  const described = describeAll(document);
  const { paths, components } = described as { paths?: object; components?: { schemas?: Schemas } };
  const schemas = components?.schemas ?? {};
  const used = referredTo(paths, schemas, new Set());
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name];
  return described;
};

function referredTo(value: unknown, schemas: Schemas, found: Set<string>): Set<string> {
  for (const [, name] of JSON.stringify(value ?? {}).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (name === undefined || found.has(name)) continue;
    found.add(name);
    referredTo(schemas[name], schemas, found);
  }
  return found;
}
