import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActuatorDriver } from "../../agent/actuators/driver.ts";
import { createAgent } from "../../agent/agent.ts";
import type { SensorDriver } from "../../agent/sensors/driver.ts";
import type { RackTarget } from "../../shared/contracts/action.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { seededRandom } from "../../shared/random.ts";
import { type Clock, systemClock } from "../../shared/time.ts";
import { smallModel } from "../support/models.ts";
import { NOMINAL_READING } from "../support/readings.ts";

/** What the parent asks for, as JSON in the first argument. */
export interface ReactionTask {
  broker_url: string;
  /** The agent's seconds per real second. */
  speed: number;
  /** Whichever comes first ends the run. */
  crossings: number;
  seconds: number;
}

/** Real milliseconds throughout. */
export interface ReactionTimes {
  period_ms: number;
  /** From the reading that crossed the limit to the write. */
  total_ms: number[];
  /** The same without the wait for the guard tick that was due. */
  beyond_ms: number[];
  unanswered: number;
  guard_ticks: number;
  expected_ticks: number;
  late_ticks: number;
  samples: number;
}

const OVER_C = 28.5;
/** The guardrail's spacing of emergencies, and a little. */
const REST_S = 11;
const ANSWER_PERIODS = 4;
/** Node's timers count whole milliseconds and may fire that much too early. */
const TIMER_EARLY_MS = 2;
const TARGETS: readonly RackTarget[] = ["pump_rpm_pct", "admission_pct", "routing_weight_pct"];

/**
 * A real agent with its broker, model, journal and scoring; only its sensor and devices are made up, to know when a
 * reading crossed the limit and when a device was told. One reading is over the limit, at a random point of the
 * period; the guardrail reacts, hands back, and the next one comes.
 */
async function react({ broker_url, speed, crossings, seconds }: ReactionTask): Promise<ReactionTimes> {
  const folder = mkdtempSync(join(tmpdir(), "skadi-bench-"));
  const model = join(folder, "model.json");
  writeModelFile(model, smallModel());
  const config = AgentConfig.parse({
    rack_id: "R-A-01",
    mode: "closed_loop",
    mqtt: { url: broker_url },
    // Handing back at once makes room for the next crossing.
    guardrail: { action_spacing_s: 0, release_after_s: 0, kill_switch_file: join(folder, "kill-switch") },
    model: { cache_dir: folder, file: model },
  });
  const random = seededRandom("reaction");
  const period_ms = (config.loop.score_s * 1000) / speed;
  const setpoints = new Map<RackTarget, number>();
  const result = { total_ms: [] as number[], beyond_ms: [] as number[], unanswered: 0 };
  let first_due_ms = 0;
  /** When the last tick was due, and the one that should see the present crossing. */
  let tick_due_ms = 0;
  let next_due_ms = 0;
  let crossed_ms: number | null = null;
  let last_write_ms = performance.now();
  let patience = 0;

  const base = systemClock(speed);
  const clock: Clock = {
    ...base,
    every(every_ms, task) {
      if (every_ms !== config.loop.score_s * 1000) return base.every(every_ms, task);
      first_due_ms = performance.now() + period_ms;
      return base.every(every_ms, () => {
        const since_first_ms = performance.now() - first_due_ms + TIMER_EARLY_MS;
        tick_due_ms = first_due_ms + Math.floor(since_first_ms / period_ms) * period_ms;
        task();
      });
    },
  };
  const isDone = () => result.total_ms.length + result.unanswered >= crossings;
  const mayCross = (now_ms: number) => {
    if (isDone() || crossed_ms !== null || setpoints.size > 0) return false;
    if (now_ms - last_write_ms < (REST_S * 1000) / speed) return false;
    // A number of readings between 0 and two periods, so that crossings fall anywhere between two ticks.
    patience = patience > 0 ? patience - 1 : Math.floor(random.uniform() * 10) + 1;
    return patience === 1;
  };
  const sensors: SensorDriver = {
    name: "bench",
    open: async () => {},
    async read() {
      const now_ms = performance.now();
      if (crossed_ms !== null && now_ms - crossed_ms > ANSWER_PERIODS * period_ms) {
        result.unanswered++;
        crossed_ms = null;
      }
      const crosses = mayCross(now_ms);
      if (crosses) {
        crossed_ms = now_ms;
        next_due_ms = tick_due_ms + period_ms;
      }
      const inlet_c = crosses ? OVER_C : NOMINAL_READING.inlet_c;
      return { at_ms: clock.now(), values: { ...NOMINAL_READING, inlet_c } };
    },
    close: async () => {},
  };
  const actuators: ActuatorDriver = {
    name: "bench",
    targets: TARGETS,
    read: async (target) => setpoints.get(target) ?? null,
    async write(target, value, { permit } = {}) {
      permit?.(target);
      const now_ms = performance.now();
      last_write_ms = now_ms;
      if (value === null) setpoints.delete(target);
      else setpoints.set(target, value);
      if (crossed_ms === null || value === null) return;
      result.total_ms.push(now_ms - crossed_ms);
      // A reading that itself came late may still have made the tick that was due before it.
      result.beyond_ms.push(Math.max(0, now_ms - Math.max(crossed_ms, next_due_ms)));
      crossed_ms = null;
    },
    failSafe: async () => {},
    close: async () => {},
  };
  const agent = createAgent({
    config,
    clock,
    log: createLog("bench", "error"),
    sensors,
    actuators,
    public_key: null,
  });
  await agent.start();
  const end_ms = performance.now() + seconds * 1000;
  await new Promise<void>((resolve) => {
    const watch = setInterval(() => {
      if (!isDone() && performance.now() < end_ms) return;
      clearInterval(watch);
      resolve();
    }, 100);
  });
  const expected_ticks = Math.floor((performance.now() - first_due_ms) / period_ms) + 1;
  const { guard_ticks, late_ticks, samples } = agent.stats();
  await agent.stop();
  rmSync(folder, { recursive: true });
  return { ...result, period_ms, guard_ticks, expected_ticks, late_ticks, samples };
}

process.stdout.write(JSON.stringify(await react(JSON.parse(process.argv[2] ?? "") as ReactionTask)));
