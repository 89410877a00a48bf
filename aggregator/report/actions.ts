import type { Action } from "../../shared/contracts/action.ts";
import type { Attribution, ReportActions } from "../../shared/contracts/report.ts";
import { isoTime } from "../../shared/time.ts";
import type { StoredEvent } from "../store/store.ts";

const RECENT = 20;

interface ActionHistory {
  /** Of the period, newest first. */
  actions: readonly Action[];
  /** Ever recorded. */
  total: number;
  truncated: boolean;
  /** Events of type `rollback` in the period. */
  rollbacks: readonly StoredEvent[];
}

/** What was done and what came of it. */
export function actionsSection(
  { actions, total, truncated, rollbacks }: ActionHistory,
  steps: readonly number[],
  step_ms: number,
): ReportActions {
  const judged = actions.filter(isJudged);
  const by_step = Map.groupBy(actions, (action) => Math.floor(Date.parse(action.ts) / step_ms) * step_ms);
  return {
    total,
    in_period: actions.length,
    truncated,
    by_outcome: count(actions, (action) => action.outcome),
    by_source: count(actions, (action) => action.source),
    by_kind: count(actions, (action) => action.kind),
    by_target: count(actions, (action) => action.target),
    predicted_saving_kw: sum(actions, (action) => action.predicted_saving_kw),
    realized_saving_kw: sum(actions, (action) => action.realized_saving_kw),
    judged: {
      actions: judged.length,
      predicted_kw: sum(judged, (action) => action.predicted_saving_kw),
      realized_kw: sum(judged, (action) => action.realized_saving_kw),
    },
    rollbacks: rollbacks.map(({ ts, rack_id, data }) => ({
      ts,
      rack_id,
      action_id: String(data.action_id),
      target: String(data.target),
      reason: String(data.worsened),
    })),
    steps: steps.map((ts_ms) => ({
      ts: isoTime(ts_ms),
      by_source: count(by_step.get(ts_ms) ?? [], (action) => action.source),
    })),
    recent: actions.slice(0, RECENT),
  };
}

/** Which kind of action on which target the saving comes from; only actions that were about a saving. */
export function attribution(actions: readonly Action[]): Attribution[] {
  const about_saving = actions.filter(
    (action) => action.predicted_saving_kw !== undefined || action.realized_saving_kw !== undefined,
  );
  const groups = Map.groupBy(about_saving, ({ kind, target }) => `${kind}/${target}`);
  return [...groups.values()]
    .map((group) => {
      const { kind, target } = group[0]!;
      const judged = group.filter(isJudged);
      return {
        kind,
        target,
        actions: group.length,
        judged: judged.length,
        predicted_saving_kw: sum(group, (action) => action.predicted_saving_kw),
        judged_predicted_saving_kw: sum(judged, (action) => action.predicted_saving_kw),
        realized_saving_kw: sum(group, (action) => action.realized_saving_kw),
      };
    })
    .sort(
      (a, b) => b.realized_saving_kw - a.realized_saving_kw || b.predicted_saving_kw - a.predicted_saving_kw,
    );
}

function isJudged(action: Action): boolean {
  return action.predicted_saving_kw !== undefined && action.realized_saving_kw !== undefined;
}

function count<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

function sum(actions: readonly Action[], pick: (action: Action) => number | undefined): number {
  return actions.reduce((total, action) => total + (pick(action) ?? 0), 0);
}
