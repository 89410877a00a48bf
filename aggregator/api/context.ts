import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { ActionLog } from "../actions/action-log.ts";
import type { Journal } from "../audit/journal.ts";
import type { ModeControl } from "../control/mode.ts";
import type { Quarantine } from "../control/quarantine.ts";
import type { Counters } from "../counters.ts";
import type { DriftCheck } from "../drift/drift-check.ts";
import type { EventBus } from "../events.ts";
import type { Fleet } from "../fleet.ts";
import type { Incidents } from "../incidents/incidents.ts";
import type { Maintenance } from "../incidents/maintenance.ts";
import type { Rejections } from "../ingest/rejections.ts";
import type { TelemetryIngest } from "../ingest/telemetry.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Mms } from "../mms/mms.ts";
import type { SiteKeys } from "../models/distribution/keys.ts";
import type { Library } from "../models/library.ts";
import type { Registry } from "../models/registry/registry.ts";
import type { Rollouts } from "../models/rollout/rollouts.ts";
import type { Trainer } from "../models/train-job.ts";
import type { Notifier } from "../notify/notifier.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import type { ReportContext } from "../report/judges.ts";
import type { Retraining } from "../retraining/retraining.ts";
import type { EnergyLedger } from "../savings/ledger.ts";
import type { SimulatorLink } from "../scenarios/simulator.ts";
import type { Scheduler } from "../schedules/scheduler.ts";
import type { Store } from "../store/store.ts";
import type { Traces } from "../traces/traces.ts";

/** What the routes may touch. */
export interface ApiContext {
  config: AggregatorConfig;
  clock: Clock;
  log: Log;
  token: string;
  started_ms: number;
  broker_connected: () => boolean;
  counters: Counters;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  telemetry: TelemetryIngest;
  rejections: Rejections;
  mode: ModeControl;
  actions: ActionLog;
  quarantine: Quarantine;
  journal: Journal;
  savings: EnergyLedger;
  optimizer: Optimizer;
  library: Library;
  registry: Registry;
  /** What is public of them. */
  keys: Pick<SiteKeys, "keys">;
  rollouts: Rollouts;
  trainer: Trainer;
  drift: DriftCheck;
  retraining: Retraining;
  simulator: SimulatorLink;
  report: ReportContext;
  schedules: Scheduler;
  metrics: Metrics;
  /** null: not wanted. */
  traces: Traces | null;
  mms: Mms;
  incidents: Incidents;
  maintenance: Maintenance;
  notifier: Notifier;
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** A group of routes: one file in routes/, registered in routes/index.ts. */
export type RouteGroup = (api: Api, context: ApiContext) => void;
