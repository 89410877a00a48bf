import type { MetricsPage } from "../../shared/metrics.ts";
import type { Counters } from "../counters.ts";
import type { Notifier } from "../notify/notifier.ts";
import type { Scheduler } from "../schedules/scheduler.ts";

export interface TrafficMetricsContext {
  counters: Counters;
  broker_connected: () => boolean;
  notifier: Notifier;
  schedules: Scheduler;
}

/** What went through the aggregator since it started. */
export function addTrafficMetrics(page: MetricsPage, context: TrafficMetricsContext): void {
  const { counters, notifier, schedules } = context;
  page.counter(
    "skadi_samples_total",
    "Telemetry samples that were taken in.",
    () => [
      [{ order: "in_order" }, counters.accepted],
      [{ order: "late" }, counters.late],
      [{ order: "duplicate" }, counters.duplicates],
    ],
    ["order"],
  );
  page.gauge(
    "skadi_samples_missing",
    "Numbers missing from the agents' sequences: samples that have not arrived, or not yet.",
    () => counters.lost,
  );
  page.counter(
    "skadi_scores_total",
    "Scores by where they were computed.",
    () => [
      [{ scored_by: "agent" }, counters.scores_agent],
      [{ scored_by: "aggregator" }, counters.scores_aggregator],
    ],
    ["scored_by"],
  );
  page.counter(
    "skadi_scores_orphaned_total",
    "Scores whose sample was never accepted.",
    () => counters.scores_orphan,
  );
  page.counter("skadi_payloads_rejected_total", "Payloads rejected.", () => counters.rejected_total);
  page.counter(
    "skadi_rejections_total",
    "Rejected payloads, under each code of docs/errors.md that applies.",
    () => Object.entries(counters.rejected).map(([code, count]) => [{ code }, count] as const),
    ["code"],
  );
  page.counter(
    "skadi_actions_total",
    "Outcomes of actions: an action that was sent and then applied counts as both.",
    function* () {
      for (const [source, outcomes] of Object.entries(counters.action_outcomes)) {
        for (const [outcome, count] of Object.entries(outcomes)) yield [{ source, outcome }, count] as const;
      }
    },
    ["source", "outcome"],
  );
  page.counter("skadi_commands_total", "Commands sent to agents.", () => counters.commands);
  page.counter("skadi_commands_refused_total", "Commands that agents would not take.", () => {
    return counters.commands_refused;
  });
  page.counter(
    "skadi_publishes_refused_total",
    "Publishes that the embedded broker did not let through.",
    () => {
      return counters.refused_publishes;
    },
  );
  page.gauge("skadi_mqtt_connected", "1 while the broker can be reached.", () =>
    Number(context.broker_connected()),
  );
  page.counter(
    "skadi_notifications_total",
    "Messages to people; failed counts attempts.",
    function* () {
      for (const [channel, { sent, failed, given_up }] of Object.entries(notifier.counts())) {
        yield [{ channel, result: "sent" }, sent] as const;
        yield [{ channel, result: "failed" }, failed] as const;
        yield [{ channel, result: "given_up" }, given_up] as const;
      }
    },
    ["channel", "result"],
  );
  page.gauge(
    "skadi_notifications_waiting",
    "Messages to people that have not left.",
    () => Object.entries(notifier.counts()).map(([channel, { waiting }]) => [{ channel }, waiting] as const),
    ["channel"],
  );
  page.gauge(
    "skadi_schedule_last_run_timestamp_seconds",
    "Start of the last run, since the Unix epoch.",
    () => lastRuns(schedules, ({ started_at }) => Date.parse(started_at) / 1000),
    ["schedule"],
  );
  page.gauge(
    "skadi_schedule_last_run_failed",
    "1 if the last run failed.",
    () => lastRuns(schedules, ({ outcome }) => Number(outcome === "failed")),
    ["schedule"],
  );
}

type LastRun = NonNullable<ReturnType<Scheduler["list"]>[number]["last_run"]>;

function lastRuns(schedules: Scheduler, of: (run: LastRun) => number) {
  return schedules
    .list()
    .map(({ name, last_run }) => [{ schedule: name }, last_run && of(last_run)] as const);
}
