import type { Action } from "../../shared/contracts/action.ts";
import type { ReportIncident, TimelineEntry } from "../../shared/contracts/report.ts";
import { eventText } from "../event-text.ts";
import type { StoredEvent } from "../store/store.ts";

const ENTRIES = 100;
/** Of one kind at most: a hundred setpoints taken back must not hide the one rack that is persistent. */
const ENTRIES_ALIKE = 25;

interface History {
  events: readonly StoredEvent[];
  actions: readonly Action[];
  incidents: readonly ReportIncident[];
}

/**
 * Everything that happened in one list: the most important first, among equals the newest; only the first 100, and of
 * one kind and importance only 25.
 */
export function timelineSection({ events, actions, incidents }: History): {
  total: number;
  entries: TimelineEntry[];
} {
  // Each change of an incident is an event too; the incidents themselves say it once.
  const others = events.filter(({ type }) => type !== "incident");
  const merged = [...others.map(fromEvent), ...actions.map(fromAction), ...incidents.flatMap(fromIncident)];
  merged.sort((a, b) => b.importance - a.importance || Date.parse(b.ts) - Date.parse(a.ts));
  return { total: merged.length, entries: fewAlike(merged).slice(0, ENTRIES) };
}

function fewAlike(entries: readonly TimelineEntry[]): TimelineEntry[] {
  const taken = new Map<string, number>();
  return entries.filter(({ type, importance }) => {
    const kind = `${type}/${importance}`;
    const n = (taken.get(kind) ?? 0) + 1;
    taken.set(kind, n);
    return n <= ENTRIES_ALIKE;
  });
}

/** An event's importance, by its type. */
const IMPORTANCE: Readonly<Record<string, (data: StoredEvent["data"]) => number>> = {
  mode: () => 95,
  rollback: () => 85,
  mms: (data) => (data.state === "persistent" ? 80 : 45),
  command_refused: () => 65,
  model: () => 60,
  model_stage: (data) => (data.stage === "candidate" ? 25 : 55),
  model_pin: () => 55,
  model_keys: () => 55,
  status: (data) => (data.state === "online" ? 15 : 50),
  scenario: () => 40,
  clock: () => 55,
  seq_restart: () => 30,
};
const UNKNOWN_IMPORTANCE = 35;

function fromEvent(event: StoredEvent): TimelineEntry {
  const { ts, type, rack_id, data } = event;
  return {
    ts,
    importance: IMPORTANCE[type]?.(data) ?? UNKNOWN_IMPORTANCE,
    type,
    rack_id,
    text: eventText(event),
  };
}

function fromAction(action: Action): TimelineEntry {
  const { ts, source, kind, target, from, to, outcome, rack_id, reason } = action;
  const setting = (value: number | null) => (value === null ? "automatic" : String(round(value)));
  return {
    ts,
    importance: actionImportance(action),
    type: "action",
    rack_id,
    text: `${source} ${kind}, ${outcome}: ${target} ${setting(from)} → ${setting(to)} (${reason})`,
  };
}

/** What drove something weighs more than what was only advised, and safety more than saving. */
function actionImportance({ source, kind, outcome }: Action): number {
  if (outcome === "advised") return source === "guardrail" ? 20 : 5;
  if (outcome === "refused") return 55;
  if (kind === "rollback") return 70;
  return { guardrail: 58, operator: 52, optimizer: 25 }[source];
}

function fromIncident({ id, opened_at, closed_at, summary, racks }: ReportIncident): TimelineEntry[] {
  const common = { type: "incident", rack_id: racks.length === 1 ? racks[0]! : null };
  const opened = { ...common, ts: opened_at, importance: 90, text: `incident ${id} opened: ${summary}` };
  if (closed_at === null) return [opened];
  return [opened, { ...common, ts: closed_at, importance: 55, text: `incident ${id} closed: ${summary}` }];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
