import type { Action } from "../shared/contracts/action.ts";
import type { ErrorCode } from "../shared/errors.ts";

/** What went through the aggregator since it started; exact, whatever the log leaves out. */
export interface Counters {
  /** Samples accepted in order. */
  accepted: number;
  duplicates: number;
  /** Samples older than one already accepted; kept in history, not fed to MMS. */
  late: number;
  scores_agent: number;
  scores_aggregator: number;
  /** Scores of agents whose sample had one already: the same again, or ours, which came first while its model was new. */
  scores_second: number;
  /** Scores whose sample was never accepted. */
  scores_orphan: number;
  /** Missing numbers in agents' sequences: samples that have not arrived (yet). */
  lost: number;
  /** Payloads, whatever was wrong with them. */
  rejected_total: number;
  rejected: Partial<Record<ErrorCode, number>>;
  actions: number;
  /** By source and outcome; an action that was sent and then applied counts as both. */
  action_outcomes: Partial<Record<Action["source"], Partial<Record<Action["outcome"], number>>>>;
  commands: number;
  /** Commands that agents would not take: wrong key, too old, or in conflict with the guardrail. */
  commands_refused: number;
  /** Publishes that the embedded broker did not let through. */
  refused_publishes: number;
}

export function newCounters(): Counters {
  return {
    accepted: 0,
    duplicates: 0,
    late: 0,
    scores_agent: 0,
    scores_aggregator: 0,
    scores_second: 0,
    scores_orphan: 0,
    lost: 0,
    rejected_total: 0,
    rejected: {},
    actions: 0,
    action_outcomes: {},
    commands: 0,
    commands_refused: 0,
    refused_publishes: 0,
  };
}

/** Counts an action's outcome, once it is another than before. */
export function countOutcome(counters: Counters, { source, outcome }: Action, before: Action | null): void {
  if (before?.outcome === outcome) return;
  counters.action_outcomes[source] ??= {};
  const outcomes = counters.action_outcomes[source];
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

/** Counts one payload, under each code that it was rejected with. */
export function countRejected(counters: Counters, codes: Iterable<ErrorCode>): void {
  counters.rejected_total++;
  for (const code of new Set(codes)) counters.rejected[code] = (counters.rejected[code] ?? 0) + 1;
}
