import type { RackTarget } from "../../shared/contracts/action.ts";
import type { AgentActuators } from "../../shared/contracts/agent-config.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { withDeadline } from "../devices/deadline.ts";
import type { DriveDevice } from "./drive.ts";
import type { ActuatorDriver } from "./driver.ts";
import { failSafeValue } from "./fail-safe.ts";

/** A device with what its configuration says of it. */
export interface DrivenDevice {
  device: DriveDevice;
  timeout_s: number;
  retries: number;
}

/** All driven devices as the agent's one actuator driver. Devices are opened when first needed, and after a failure. */
export function drivesAsActuators(options: {
  drives: readonly DrivenDevice[];
  actuators: AgentActuators;
  clock: Clock;
  log: Log;
}): ActuatorDriver {
  const { drives, actuators, clock, log } = options;
  const opened = new Set<DrivenDevice>();

  const shut = async (drive: DrivenDevice) => {
    if (!opened.delete(drive)) return;
    try {
      await drive.device.close();
    } catch (error) {
      log.debug({ event: "device_close_failed", device: drive.device.name, reason: String(error) });
    }
  };
  /** Setting the same setpoint twice does no harm, so that a failed call may be repeated. */
  const call = async <T>(drive: DrivenDevice, task: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    for (let tries = 0; ; tries++) {
      try {
        return await withDeadline(drive.timeout_s * 1000, clock, async (signal) => {
          if (!opened.has(drive)) await drive.device.open();
          opened.add(drive);
          return task(signal);
        });
      } catch (error) {
        await shut(drive);
        if (tries >= drive.retries) throw error;
      }
    }
  };
  const driveOf = (target: RackTarget): DrivenDevice => {
    const drive = drives.find(({ device }) => device.targets.includes(target));
    if (!drive) throw new Error(`nothing drives ${target}`);
    return drive;
  };
  const read = (target: RackTarget) => {
    const drive = driveOf(target);
    return call(drive, (signal) => drive.device.read(target, signal));
  };
  const write = (target: RackTarget, value: number | null) => {
    const drive = driveOf(target);
    return call(drive, (signal) => drive.device.write(target, value, signal));
  };
  const failSafe = async (target: RackTarget, onDriven?: (target: RackTarget, value: number) => void) => {
    let current: number | null | undefined;
    try {
      current = await read(target);
    } catch (error) {
      log.warn({ event: "setpoint_unknown", target, reason: String(error) });
    }
    const value = failSafeValue(target, actuators[target], current);
    if (value === undefined) return;
    await write(target, value);
    onDriven?.(target, value);
    log.info({ event: "fail_safe", target, from: current ?? null, to: value });
  };
  const targets = drives.flatMap(({ device }) => device.targets);

  return {
    name: drives.map(({ device }) => device.name).join("+") || "none",
    targets,
    without_own_control: drives.flatMap(({ device }) => device.without_own_control ?? []),
    deviceOf: (target) => drives.find(({ device }) => device.targets.includes(target))?.device.name,
    read,
    write,
    /** Every target gets its chance; what failed is told at the end. */
    async failSafe(onDriven) {
      const outcomes = await Promise.allSettled(targets.map((target) => failSafe(target, onDriven)));
      const failed = targets.filter((_, i) => outcomes[i]?.status === "rejected");
      if (failed.length > 0) {
        const reasons = outcomes.flatMap((o) => (o.status === "rejected" ? [String(o.reason)] : []));
        throw new Error(`${failed.join(", ")}: ${reasons.join("; ")}`);
      }
    },
    async close() {
      await Promise.all(drives.map(shut));
    },
  };
}
