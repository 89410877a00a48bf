import { type ChildProcess, execFile, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { testBroker } from "../support/broker.ts";
import type { BenchOptions } from "./options.ts";
import type { ReactionTask, ReactionTimes } from "./reaction-agent.ts";

const CROSSINGS = 200;
/** The shipped periods, this much faster, so that two hundred crossings take minutes instead of an hour. */
const SPEED = 20;
const SECONDS_MAX = 1_800;
const AGENT = new URL("reaction-agent.ts", import.meta.url).pathname;

/**
 * From the reading that crosses the inlet limit to the write to the actuator, and guard ticks missed, while every
 * core is kept busy by another process of the same priority.
 *
 * @param options.minutes a soak at the true periods (1 s samples, 5 s ticks) instead of 200 crossings at 20 times that
 */
export async function benchReaction(options: BenchOptions = {}): Promise<void> {
  const { minutes } = options;
  const pace =
    minutes === undefined
      ? { speed: SPEED, crossings: CROSSINGS, seconds: SECONDS_MAX }
      : { speed: 1, crossings: Number.MAX_SAFE_INTEGER, seconds: minutes * 60 };
  const broker = await testBroker();
  const cores = availableParallelism();
  const busy = Array.from({ length: cores }, () => spawn(process.execPath, ["-e", "for (;;);"]));
  let times: ReactionTimes;
  try {
    times = await run({ broker_url: broker.url, ...pace });
  } finally {
    for (const child of busy) child.kill("SIGKILL");
    await Promise.all(busy.map(ended));
    await broker.close();
  }
  const { guard_ticks, expected_ticks, late_ticks, unanswered, period_ms, samples } = times;
  const result = {
    bench: "reaction",
    busy_processes: cores,
    period_ms,
    crossings: times.total_ms.length,
    unanswered,
    beyond_period_ms: spread(times.beyond_ms),
    total_ms: spread(times.total_ms),
    guard_ticks,
    missed_ticks: expected_ticks - guard_ticks,
    late_ticks,
    samples,
  };
  if (options.json) {
    console.log(JSON.stringify(result));
    return;
  }
  const { p50, p99, max } = result.beyond_period_ms;
  console.log(
    `reaction: ${result.crossings} crossings (${unanswered} unanswered), ${cores} busy processes on ${cores} cores, a guard tick every ${period_ms} ms: from the reading over the limit to the actuator's write, beyond the wait for the tick that was due: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (wait included: p50 ${result.total_ms.p50}, max ${result.total_ms.max} ms)`,
  );
  console.log(
    `reaction: ${guard_ticks} guard ticks, ${result.missed_ticks} missed, ${late_ticks} late by more than half a period`,
  );
}

async function run(task: ReactionTask): Promise<ReactionTimes> {
  const { stdout } = await promisify(execFile)(process.execPath, [AGENT, JSON.stringify(task)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as ReactionTimes;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
}

function spread(values: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const value = sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
    return Math.round(value * 100) / 100;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
