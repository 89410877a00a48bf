import { join } from "node:path";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { Journal } from "../audit/journal.ts";
import type { DriftCheck } from "../drift/drift-check.ts";
import type { ReportContext } from "../report/judges.ts";
import type { Retraining } from "../retraining/retraining.ts";
import { driftJob } from "./drift.ts";
import { nightlyReport } from "./nightly-report.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";

interface SchedulesContext {
  config: AggregatorConfig;
  clock: Clock;
  log: Log;
  drift: DriftCheck;
  retraining: Retraining;
  report: ReportContext;
  journal: Pick<Journal, "prune">;
}

const DAY_MS = 86_400_000;

/** The site's scheduled work: nightly report, drift and retraining, retention, rollups. */
export function siteSchedules({
  config,
  clock,
  log,
  drift,
  retraining,
  report,
  journal,
}: SchedulesContext): Scheduler {
  const { data_dir, schedules } = config;
  const { store } = report;
  const nightly = nightlyReport({
    ...{ clock, report },
    folder: join(data_dir, "reports"),
    timezone: schedules.timezone,
    report_days: schedules.report_days,
  });
  const retention = () => {
    const now_ms = clock.now();
    const { raw_days, rollup_days } = config.store;
    const rollup_before_ms = now_ms - rollup_days * DAY_MS;
    // The chain first: its anchor accounts for what the log loses next, and for what a crash lets it keep.
    journal.prune(rollup_before_ms);
    const deleted = store.prune(now_ms - raw_days * DAY_MS, rollup_before_ms);
    log.info(deleted, "retention applied");
    return {
      outcome: "ok" as const,
      detail: `${deleted.samples} samples and ${deleted.rollups} rollups deleted`,
    };
  };
  const rollups = () => {
    store.rollups.update();
    return { outcome: "ok" as const, detail: "up to date" };
  };
  return createScheduler({
    ...{ log, settings: store.settings, wall: Date.now, timezone: schedules.timezone },
    jobs: [
      { name: "report", cron: schedules.report, make_up: true, ...nightly },
      {
        name: "retrain",
        cron: schedules.retrain,
        make_up: true,
        run: () => retraining.run("schedule"),
      },
      {
        name: "drift",
        cron: schedules.drift,
        make_up: false,
        run: driftJob({ config, clock, drift, retraining }),
      },
      { name: "retention", cron: schedules.retention, make_up: true, run: retention },
      // Whoever reads rollups brings them up to date first: a missed run leaves nothing behind.
      { name: "rollups", cron: schedules.rollups, make_up: false, run: rollups },
    ],
  });
}
