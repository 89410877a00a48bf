import { describe, expect, it, onTestFinished } from "vitest";
import { createScheduler, type JobResult } from "../../../../aggregator/schedules/scheduler.ts";
import { createLog } from "../../../../shared/log.ts";
import { eventually } from "../../../support/eventually.ts";

const log = createLog("test", "silent");
const EVERY_SECOND = "* * * * * *";
/** Never due while a test runs. */
const NEW_YEAR = "0 0 1 1 *";
const HOUR_MS = 3_600_000;

/** The settings of a store, in memory; values go through JSON as they do there. */
function settings() {
  const values = new Map<string, string>();
  return {
    get: (key: string): unknown => JSON.parse(values.get(key) ?? "null"),
    put: (key: string, value: unknown) => void values.set(key, JSON.stringify(value)),
  };
}

interface Options {
  cron?: string;
  run?: () => JobResult | Promise<JobResult>;
  kept?: ReturnType<typeof settings>;
  wall?: () => number;
  make_up?: boolean;
  overdue?: () => boolean;
  timezone?: string;
}

const done = (): JobResult => ({ outcome: "ok", detail: "done" });

/** A scheduler of one job, on real node-cron. */
function scheduler({ cron = NEW_YEAR, run = done, kept = settings(), wall = Date.now, ...more }: Options) {
  const { make_up = true, overdue = () => false, timezone = "UTC" } = more;
  const jobs = [{ name: "report", cron, make_up, overdue, run }];
  const made = createScheduler({ jobs, timezone, settings: kept, log, wall });
  onTestFinished(() => made.stop());
  return { ...made, report: () => made.list()[0]! };
}

describe("a scheduled job", () => {
  it("runs when its expression says, and says when and what came of it", async () => {
    const { start, report } = scheduler({ cron: EVERY_SECOND });
    start();
    expect(report()).toMatchObject({ schedule: EVERY_SECOND, runs: 0, last_run: null });
    await eventually("two runs", () => report().runs >= 2);
    expect(report().last_run).toMatchObject({ outcome: "ok", detail: "done" });
    expect(Math.abs(Date.parse(report().last_run!.started_at) - Date.now())).toBeLessThan(5_000);
    expect(Date.parse(report().next_run!)).toBeGreaterThan(Date.now() - 1_000);
  });

  it("goes by the time zone", () => {
    const { start, report } = scheduler({ cron: "10 0 * * *", timezone: "Asia/Kathmandu" });
    start();
    expect(report().next_run).toMatch(/T18:25:00/);
  });

  it("that is off never runs", async () => {
    const { start, report } = scheduler({ cron: "off", overdue: () => true });
    start();
    expect(report()).toMatchObject({ schedule: "off", next_run: null, running: false, runs: 0 });
  });

  it("that fails is counted with its reason, and runs again", async () => {
    const { start, report } = scheduler({
      cron: EVERY_SECOND,
      run() {
        throw new Error("the disk is full");
      },
    });
    start();
    await eventually("two failures", () => report().failures >= 2);
    expect(report().last_run).toMatchObject({ outcome: "failed", detail: "the disk is full" });
  });

  it("does not run twice at a time: what falls into a run is left out and counted", async () => {
    const gate = Promise.withResolvers<JobResult>();
    let begun = 0;
    const { start, report } = scheduler({
      cron: EVERY_SECOND,
      run() {
        begun++;
        return gate.promise;
      },
    });
    start();
    await eventually("an overlap", () => report().overlaps >= 1);
    expect([begun, report().running, report().runs]).toEqual([1, true, 0]);
    gate.resolve(done());
    await eventually("the end of the run", () => report().runs === 1);
  });

  it("with an expression that makes no sense is refused by name", () => {
    expect(() => scheduler({ cron: "99 0 * * *" })).toThrow(/schedules\.report.*99 0 \* \* \*/);
  });
});

describe("a run that was missed", () => {
  /** The job was due an hour ago, by what an earlier scheduler left behind. */
  async function afterDowntime(options: Options) {
    const kept = settings();
    const first = scheduler({ kept, ...options });
    first.start();
    const due_ms = Date.parse(first.report().next_run!);
    await first.stop();
    return scheduler({ kept, wall: () => due_ms + HOUR_MS, ...options });
  }

  it("is noted and made up once at the start", async () => {
    const again = await afterDowntime({});
    again.start();
    await eventually("the run", () => again.report().runs === 1);
    expect(again.report()).toMatchObject({ missed: 1, last_run: { outcome: "ok" } });
  });

  it("is not made up where nothing depends on it", async () => {
    const again = await afterDowntime({ make_up: false });
    again.start();
    expect(again.report()).toMatchObject({ missed: 0, running: false, runs: 0 });
  });

  it("is none where the aggregator was back in time, or the expression is another", async () => {
    const kept = settings();
    const first = scheduler({ kept });
    first.start();
    await first.stop();
    const in_time = scheduler({ kept });
    in_time.start();
    expect(in_time.report()).toMatchObject({ missed: 0, running: false });
    await in_time.stop();
    const other = scheduler({ kept, cron: "0 0 2 1 *", wall: () => Date.now() + 400 * 24 * HOUR_MS });
    other.start();
    expect(other.report()).toMatchObject({ missed: 0, running: false });
  });

  it("is also what the job itself finds overdue", async () => {
    const { start, report } = scheduler({ overdue: () => true });
    start();
    await eventually("the run", () => report().runs === 1);
    expect(report().missed).toBe(0);
  });
});

describe("a stop", () => {
  it("waits for the run that is under way, and begins no other", async () => {
    const gate = Promise.withResolvers<JobResult>();
    const { start, stop, report } = scheduler({ overdue: () => true, run: () => gate.promise });
    start();
    let stopped = false;
    const ended = stop().then(() => {
      stopped = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stopped).toBe(false);
    gate.resolve(done());
    await ended;
    expect(report()).toMatchObject({ runs: 1, running: false });
  });

  it("that cuts a run short leaves no failure behind", async () => {
    const gate = Promise.withResolvers<JobResult>();
    const { start, stop, report } = scheduler({ overdue: () => true, run: () => gate.promise });
    start();
    const ended = stop();
    gate.reject(new Error("terminated"));
    await ended;
    expect(report()).toMatchObject({ runs: 0, failures: 0, last_run: null });
  });
});
