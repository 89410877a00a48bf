import { createLog } from "../../shared/log.ts";
import { untilStopSignal } from "../../shared/process.ts";
import { readPublicKey } from "../../shared/signing.ts";
import { systemClock } from "../../shared/time.ts";
import { actuatorDriver } from "../actuators/index.ts";
import { createAgent } from "../agent.ts";
import { sensorDriver } from "../sensors/index.ts";
import { systemdWatchdog } from "../watchdog.ts";
import { agentConfig, type ConfigFlag } from "./config.ts";

/** `skadi-agent run`: until a signal says stop. */
export async function run(flags: ConfigFlag): Promise<void> {
  const config = agentConfig(flags);
  const clock = systemClock();
  const log = createLog("skadi-agent", config.log.level);
  const { public_key_file } = config.trust;
  const agent = createAgent({
    config,
    clock,
    log,
    sensors: sensorDriver(config.sensors, clock, log),
    actuators: actuatorDriver(config, clock, log),
    public_key: public_key_file ? readPublicKey(public_key_file) : null,
    watchdog: systemdWatchdog({
      env: process.env,
      pid: process.pid,
      tick_ms: config.loop.score_s * 1000,
      clock,
      log,
    }),
  });
  await agent.start();
  await untilStopSignal();
  await agent.stop();
}
