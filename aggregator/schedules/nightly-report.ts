import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../shared/time.ts";
import { writeWholeFile } from "../../shared/whole-file.ts";
import { judgesReport, type ReportContext } from "../report/judges.ts";
import { reportPage } from "../report/page.ts";
import { type Period, reportPeriod } from "../report/period.ts";
import { localDate, shiftDate, startOfDay } from "./local-day.ts";
import type { JobResult } from "./scheduler.ts";

interface NightlyContext {
  /** Where the reports are kept, as <date>.json and <date>.html. */
  folder: string;
  clock: Clock;
  timezone: string;
  /** Reports of dates longer ago go. */
  report_days: number;
  report: ReportContext;
}

export interface NightlyReport {
  /** Yesterday has telemetry but no report yet. */
  overdue(): boolean;
  /** Writes the report of yesterday and deletes those past their retention. */
  run(): Promise<JobResult>;
}

export function nightlyReport({
  folder,
  clock,
  timezone,
  report_days,
  report,
}: NightlyContext): NightlyReport {
  const yesterday = () => shiftDate(localDate(clock.now(), timezone), -1);
  const file = (date: string, type: "json" | "html") => join(folder, `${date}.${type}`);
  const hasTelemetry = ({ from_ms, to_ms }: Period) =>
    report.store.rollups.timeline(from_ms, to_ms - 1, to_ms - from_ms).length > 0;
  return {
    overdue() {
      const date = yesterday();
      return !existsSync(file(date, "json")) && hasTelemetry(dayPeriod(date, timezone, clock.now()));
    },
    async run() {
      const date = yesterday();
      const period = dayPeriod(date, timezone, clock.now());
      prune(folder, shiftDate(date, -report_days));
      if (!hasTelemetry(period)) return { outcome: "skipped", detail: `no telemetry of ${date}` };
      const document = await judgesReport(report, period, clock.now());
      // The JSON last: where it is, the report is complete.
      writeWholeFile(file(date, "html"), reportPage(document, { timezone }));
      writeWholeFile(file(date, "json"), `${JSON.stringify(document)}\n`);
      return { outcome: "ok", detail: `report of ${date} in ${file(date, "html")}` };
    },
  };
}

function dayPeriod(date: string, timezone: string, now_ms: number): Period {
  const from_ms = startOfDay(date, timezone);
  return reportPeriod({ from_ms, to_ms: startOfDay(shiftDate(date, 1), timezone) }, now_ms);
}

const REPORT_FILE = /^(\d{4}-\d{2}-\d{2})\.(json|html)$/;

/** Deletes the reports of dates before `first`; other files are left alone. */
function prune(folder: string, first: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const date = REPORT_FILE.exec(name)?.[1];
    if (date !== undefined && date < first) rmSync(join(folder, name));
  }
}
