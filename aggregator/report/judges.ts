import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Report } from "../../shared/contracts/report.ts";
import { isoTime } from "../../shared/time.ts";
import type { Fleet } from "../fleet.ts";
import type { siteOverview } from "../overview.ts";
import { readInParts } from "../store/in-parts.ts";
import type { Store, StoredEvent } from "../store/store.ts";
import { actionsSection, attribution } from "./actions.ts";
import { deviationHistory } from "./deviations.ts";
import { energySection } from "./energy.ts";
import { incidentsSection } from "./incidents.ts";
import { mmsSection } from "./mms.ts";
import { type Period, stepsOf } from "./period.ts";
import type { IncidentSource, SavingSource } from "./sources.ts";
import { stateSection } from "./state.ts";
import { timelineSection } from "./timeline.ts";

export interface ReportContext {
  config: AggregatorConfig;
  fleet: Fleet;
  store: Store;
  overview: () => ReturnType<typeof siteOverview>;
  /** Of the model in force. */
  thresholds: () => { tau_fast: number; tau_persist: number } | null;
  incidents?: IncidentSource;
  savings?: SavingSource;
}

const TOP = 10;
const RECENT_SCORES = 20;
const ANOMALIES_MAX = 1_000;
const ACTIONS_MAX = 20_000;
const EVENTS_MAX = 20_000;
const INCIDENTS_MAX = 1_000;
/** How far back a rack's state at the beginning of the period is looked for. */
const LOOK_BACK_MS = 7 * 86_400_000;

/**
 * Everything that is known of the site over a period, in one document; the store is only read. What there may be very
 * much of is read in parts, with a turn for everybody else in between.
 */
export async function judgesReport(context: ReportContext, period: Period, now_ms: number): Promise<Report> {
  const { config, fleet, store } = context;
  const { from_ms, to_ms, step_ms, live } = period;
  // The store's ranges of steps and events include their end, the period does not.
  const last_ms = to_ms - 1;
  const inParts = <T>(read: (from_ms: number, to_ms: number) => T[]) =>
    readInParts(period, fleet.racks.length, read);
  const deviations = await inParts((from, to) => store.rollups.deviations(from, to, step_ms));
  const steps = await inParts((from, to) => store.rollups.timeline(from, to, step_ms));
  const { rack_list, ...overview } = context.overview();
  const read = store.actions.between(from_ms, to_ms, ACTIONS_MAX + 1);
  const actions = read.slice(0, ACTIONS_MAX);
  const events = store.events.between(from_ms, last_ms, EVENTS_MAX);
  const incidents = context.incidents?.between(from_ms, to_ms, INCIDENTS_MAX);
  const present = rack_list.map(({ rack_id, row, mms_state }) => ({
    ...{ rack_id, row },
    persistent: mms_state === "persistent",
  }));
  const acted = actionsSection(
    {
      actions,
      total: store.actions.count(),
      truncated: read.length > ACTIONS_MAX,
      rollbacks: ofType(events, "rollback"),
    },
    stepsOf(period),
    step_ms,
  );
  return {
    generated_at: isoTime(now_ms),
    period: { from: isoTime(from_ms), to: isoTime(to_ms), step_s: step_ms / 1000, live },
    overview,
    deviations: presentDeviations(rack_list),
    persistent: rack_list.filter((rack) => rack.state === "persistent").map((rack) => rack.rack_id),
    state: stateSection(fleet, store, period),
    deviation_history: deviationHistory(deviations, context.thresholds()),
    energy: energySection(steps, config.kpi),
    mms: mmsSection(
      store.events.between(from_ms - LOOK_BACK_MS, now_ms, EVENTS_MAX, ["mms"]),
      present,
      period,
    ),
    incidents: incidents ? incidentsSection(incidents) : null,
    actions: acted,
    savings: {
      measured: context.savings?.measured(from_ms, to_ms) ?? null,
      predicted_saving_kw: acted.predicted_saving_kw,
      realized_saving_kw: acted.realized_saving_kw,
      attribution: attribution(actions),
    },
    timeline: timelineSection({ events, actions, incidents: incidents ?? [] }),
    scores: store.samples.recentScores(RECENT_SCORES),
    anomalies: ofType(events, "mms").slice(0, ANOMALIES_MAX),
  };
}

function presentDeviations(rack_list: ReturnType<typeof siteOverview>["rack_list"]): Report["deviations"] {
  return rack_list
    .flatMap(({ rack_id, d, tau_fast, state }) =>
      d === null || tau_fast === null ? [] : [{ rack_id, d, share_of_tau_fast: d / tau_fast, state }],
    )
    .sort((a, b) => b.d - a.d)
    .slice(0, TOP);
}

function ofType(events: readonly StoredEvent[], type: string): StoredEvent[] {
  return events.filter((event) => event.type === type);
}
