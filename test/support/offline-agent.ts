import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ActuatorDriver } from "../../agent/actuators/driver.ts";
import { createAgent } from "../../agent/agent.ts";
import { noObserver } from "../../agent/observer.ts";
import type { SensorDriver } from "../../agent/sensors/driver.ts";
import { type Action, RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { type Clock, virtualClock } from "../../shared/time.ts";
import { NOMINAL_READING } from "./readings.ts";
import { temporaryFolder } from "./temporary.ts";

type Values = { -readonly [field in keyof typeof NOMINAL_READING]: number | null };

/** An agent without a network on a clock that moves only by `run`, with its rack as the test makes it. */
export async function offlineAgent(
  options: {
    mode?: "advisory" | "closed_loop";
    /** Where it keeps what outlives a restart. */
    folder?: string;
    actuators?: Partial<ActuatorDriver>;
    sensors?: (clock: Clock) => SensorDriver;
    setpoints?: Partial<Record<RackTarget, number | null>>;
  } = {},
) {
  const folder = options.folder ?? temporaryFolder();
  const clock = virtualClock(Date.now());
  const values: Values = { ...NOMINAL_READING };
  const setpoints = options.setpoints ?? {};
  const writes: [RackTarget, number | null][] = [];
  const actions: Action[] = [];
  const config = AgentConfig.parse({
    ...{ rack_id: "R-C-07", mode: options.mode ?? "closed_loop" },
    model: { cache_dir: folder },
    uplink: { store: "memory" },
    guardrail: { kill_switch_file: join(folder, "kill-switch") },
  });
  const agent = createAgent({
    ...{ config, clock, log: createLog("test", "silent"), public_key: null, offline: true },
    observer: { ...noObserver, acted: (action) => actions.push(action) },
    sensors: options.sensors?.(clock) ?? {
      name: "test",
      open: async () => {},
      read: async () => ({ at_ms: clock.now(), values: { ...values } }),
      close: async () => {},
    },
    actuators: {
      ...{ name: "test", targets: RACK_TARGETS, deviceOf: (target) => target },
      read: async (target) => setpoints[target] ?? null,
      async write(target, value, terms) {
        terms?.permit?.(target);
        writes.push([target, value]);
        setpoints[target] = value;
      },
      ...{ failSafe: async () => {}, close: async () => {} },
      ...options.actuators,
    },
  });
  let stopped = false;
  const stop = async () => {
    if (!stopped) await agent.stop();
    stopped = true;
  };
  await agent.start();
  onTestFinished(stop);
  return {
    ...{ folder, clock, config, values, setpoints, writes, actions, stop },
    async run(seconds: number) {
      for (let s = 0; s < seconds; s++) {
        clock.advance(1000);
        for (let turns = 0; turns < 15; turns++) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
