import { type ScheduledTask, schedule, validateDetailed } from "node-cron";
import * as z from "zod";
import { type ScheduleReport, ScheduleRun } from "../../shared/contracts/schedule.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { isoTime } from "../../shared/time.ts";
import type { SettingStore } from "../store/store.ts";

interface Job {
  name: string;
  /** A cron expression, or "off". */
  cron: string;
  /** A run that was missed while the aggregator was down is noted, and made up at the next start. */
  make_up: boolean;
  /** Whether there is something to make up that the record of runs does not tell. */
  overdue?(): boolean;
  run(): JobResult | Promise<JobResult>;
}

/** What a run came to, in words; `skipped`: there was nothing to do. Failures are thrown. */
export interface JobResult {
  outcome: "ok" | "skipped";
  detail: string;
}

export interface Scheduler {
  start(): void;
  /** No run begins any more; resolves when none is under way. */
  stop(): Promise<void>;
  list(): ScheduleReport[];
}

interface SchedulerContext {
  jobs: readonly Job[];
  timezone: string;
  settings: SettingStore;
  log: Log;
  /** The wall clock's time, which cron goes by. */
  wall: () => number;
}

const Kept = z.object({
  cron: z.string(),
  next_ms: z.number().nullable(),
  runs: z.int(),
  failures: z.int(),
  missed: z.int(),
  overlaps: z.int(),
  last_run: ScheduleRun.nullable(),
});
/** What is remembered of a job over a restart. */
type Kept = z.infer<typeof Kept>;

interface Entry {
  job: Job;
  kept: Kept;
  task: ScheduledTask | null;
  running: Promise<void> | null;
}

const settingKey = (name: string) => `schedule_${name}`;

/**
 * Runs jobs by cron expressions, each at most once at a time.
 *
 * @throws SkadiError SKADI_BAD_CONFIG naming every expression that is none
 */
export function createScheduler({ jobs, timezone, settings, log, wall }: SchedulerContext): Scheduler {
  checkExpressions(jobs);
  const entries = jobs.map(
    (job): Entry => ({ job, kept: readKept(settings, job), task: null, running: null }),
  );
  let stopped = false;

  const keep = ({ job, task, kept }: Entry) => {
    kept.next_ms = task?.getNextRun()?.getTime() ?? null;
    settings.put(settingKey(job.name), kept);
  };
  const execute = async (entry: Entry) => {
    const { job, kept } = entry;
    const started_ms = wall();
    const note = (outcome: ScheduleRun["outcome"], detail: string) => {
      // A run that a stop cut short does not count: it is made up at the next start.
      if (stopped && outcome !== "ok") return;
      kept.runs++;
      if (outcome === "failed") kept.failures++;
      kept.last_run = {
        started_at: isoTime(started_ms),
        duration_s: Math.round(wall() - started_ms) / 1000,
        outcome,
        detail,
      };
      keep(entry);
    };
    try {
      const { outcome, detail } = await job.run();
      log.debug({ schedule: job.name, outcome, detail }, "scheduled run finished");
      note(outcome, detail);
    } catch (error) {
      if (!stopped) log.error({ err: error, schedule: job.name }, "scheduled run failed");
      note("failed", error instanceof Error ? error.message : String(error));
    }
  };
  const trigger = (entry: Entry) => {
    if (stopped) return;
    if (entry.running) {
      entry.kept.overlaps++;
      log.warn({ schedule: entry.job.name }, "scheduled run left out: the one before is still under way");
      return;
    }
    entry.running = execute(entry).finally(() => {
      entry.running = null;
    });
  };
  const miss = ({ job, kept }: Entry, due: string | null) => {
    kept.missed++;
    if (job.make_up) log.warn({ schedule: job.name, due }, "scheduled run missed");
  };
  const begin = (entry: Entry) => {
    const { job, kept } = entry;
    if (job.cron === "off") return;
    const due_ms = missedRun(kept, job, wall());
    if (due_ms !== null) miss(entry, isoTime(due_ms));
    entry.task = schedule(job.cron, () => trigger(entry), {
      name: job.name,
      timezone,
      suppressMissedWarning: true,
    });
    entry.task.on("execution:missed", ({ date }) => {
      miss(entry, date.toISOString());
      if (job.make_up) trigger(entry);
    });
    // Before the run: one that ends the process must not be begun again at every start.
    keep(entry);
    if (due_ms !== null || job.overdue?.()) trigger(entry);
  };
  return {
    start() {
      stopped = false;
      for (const entry of entries) begin(entry);
    },
    async stop() {
      stopped = true;
      for (const { task } of entries) await task?.destroy();
      await Promise.all(entries.map((entry) => entry.running));
    },
    list: () =>
      entries.map(({ job, kept, task, running }) => ({
        name: job.name,
        schedule: job.cron,
        timezone,
        running: running !== null,
        next_run: task?.getNextRun()?.toISOString() ?? null,
        last_run: kept.last_run,
        runs: kept.runs,
        failures: kept.failures,
        missed: kept.missed,
        overlaps: kept.overlaps,
      })),
  };
}

function checkExpressions(jobs: readonly Job[]): void {
  for (const { name, cron } of jobs) {
    if (cron === "off") continue;
    const { valid, errors } = validateDetailed(cron);
    if (valid) continue;
    throw skadiError("SKADI_BAD_CONFIG", {
      field: `schedules.${name}`,
      value: cron,
      expected: `a cron expression or "off" (${errors.map((error) => error.message).join("; ")})`,
    });
  }
}

/** What an earlier run left behind; nothing, or what cannot be read, is a fresh start. */
function readKept(settings: SettingStore, job: Job): Kept {
  const kept = Kept.safeParse(settings.get(settingKey(job.name)));
  if (kept.success) return kept.data;
  return { cron: job.cron, next_ms: null, runs: 0, failures: 0, missed: 0, overlaps: 0, last_run: null };
}

/** When the job should have run while nobody was there; under another expression nothing was due. */
function missedRun(kept: Kept, job: Job, now_ms: number): number | null {
  const same = kept.cron === job.cron;
  kept.cron = job.cron;
  return job.make_up && same && kept.next_ms !== null && kept.next_ms <= now_ms ? kept.next_ms : null;
}
