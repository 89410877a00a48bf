import * as z from "zod";
import { Timestamp } from "./envelope.ts";

/** One run of a scheduled job. */
export const ScheduleRun = z.object({
  started_at: Timestamp,
  duration_s: z.number(),
  outcome: z.enum(["ok", "skipped", "failed"]),
  /** What came of it, or why not. */
  detail: z.string(),
});
export type ScheduleRun = z.infer<typeof ScheduleRun>;

/** A scheduled job, as `GET /schedules` shows it. The counts are kept over restarts. */
export const ScheduleReport = z.object({
  name: z.string(),
  /** A cron expression, or "off". */
  schedule: z.string(),
  timezone: z.string(),
  running: z.boolean(),
  next_run: Timestamp.nullable(),
  last_run: ScheduleRun.nullable(),
  runs: z.int(),
  failures: z.int(),
  /** Due while the aggregator was down or could not keep up. */
  missed: z.int(),
  /** Left out because the run before was still under way. */
  overlaps: z.int(),
});
export type ScheduleReport = z.infer<typeof ScheduleReport>;
