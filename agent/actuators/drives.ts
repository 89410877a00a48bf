import type { RackTarget } from "../../shared/contracts/action.ts";
import type { AgentActuators } from "../../shared/contracts/agent-config.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { withDeadline } from "../devices/deadline.ts";
import type { DriveDevice } from "./drive.ts";
import type { ActuatorDriver, FailSafeTerms, WriteTerms } from "./driver.ts";
import { failSafeValue } from "./fail-safe.ts";

/** A device with what its configuration says of it. */
export interface DrivenDevice {
  device: DriveDevice;
  timeout_s: number;
  retries: number;
}

/** What one attempt does with a device that is open. */
type Task<T> = (signal: AbortSignal) => Promise<T>;

/** A target that is not yet on its fail-safe value. */
interface Waiting {
  target: RackTarget;
  /** The setpoint in force; undefined: not read yet, or not to be read. */
  current?: number | null;
  /** It was read, or given up on. */
  is_read: boolean;
  /** Of reading, then of writing. */
  failures: number;
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
  /** A device whose call was given up may still be closing when the next call comes. */
  const closing = new Map<DrivenDevice, Promise<void>>();

  const closeQuietly = async ({ device, timeout_s }: DrivenDevice) => {
    try {
      await withDeadline(timeout_s * 1000, clock, () => device.close());
    } catch (error) {
      log.debug({ event: "device_close_failed", device: device.name, reason: String(error) });
    }
  };
  const shut = (drive: DrivenDevice) => {
    if (opened.delete(drive)) closing.set(drive, closeQuietly(drive));
    return closing.get(drive);
  };
  /** Opening may outlive its time, so that the signal is looked at just before the task. */
  const attempt = async <T>(drive: DrivenDevice, task: Task<T>, outer?: AbortSignal): Promise<T> => {
    try {
      const whenOpen = async (signal: AbortSignal) => {
        await closing.get(drive);
        if (!opened.has(drive)) await drive.device.open();
        opened.add(drive);
        signal.throwIfAborted();
        return task(signal);
      };
      return await withDeadline(drive.timeout_s * 1000, clock, whenOpen, outer);
    } catch (error) {
      await shut(drive);
      throw error;
    }
  };
  /** Setting the same setpoint twice does no harm, so that a failed call may be repeated. */
  const call = async <T>(drive: DrivenDevice, task: Task<T>, outer?: AbortSignal): Promise<T> => {
    for (let tries = 0; ; tries++) {
      try {
        return await attempt(drive, task, outer);
      } catch (error) {
        if (tries >= drive.retries || outer?.aborted) throw error;
      }
    }
  };
  const driveOf = (target: RackTarget): DrivenDevice => {
    const drive = drives.find(({ device }) => device.targets.includes(target));
    if (!drive) throw new Error(`nothing drives ${target}`);
    return drive;
  };
  const reading =
    ({ device }: DrivenDevice, target: RackTarget): Task<number | null> =>
    (signal) =>
      device.read(target, signal);
  const writing =
    (
      { device }: DrivenDevice,
      target: RackTarget,
      value: number | null,
      permit: WriteTerms["permit"],
    ): Task<void> =>
    async (signal) => {
      permit?.(target);
      await device.write(target, value, signal, permit);
    };
  /**
   * One target of a device after another, because a failure shuts the device and would take a neighbour's request with
   * it. Who failed queues again behind the others: one that hangs must not use up the time of those that are well.
   *
   * @returns what failed, as text
   */
  const failSafe = async (drive: DrivenDevice, { permit, signal, onDriven }: FailSafeTerms) => {
    const failed: string[] = [];
    const queue = drive.device.targets.map((target): Waiting => ({ target, is_read: false, failures: 0 }));
    for (let one = queue.shift(); one; one = queue.shift()) {
      const { target } = one;
      try {
        if (!one.is_read) one.current = await attempt(drive, reading(drive, target), signal);
        one.is_read = true;
        const value = failSafeValue(target, actuators[target], one.current);
        if (value === undefined) continue;
        await attempt(drive, writing(drive, target, value, permit), signal);
        onDriven?.(target, value);
        log.info({ event: "fail_safe", target, from: one.current ?? null, to: value });
      } catch (error) {
        one.failures++;
        const given_up = one.failures > drive.retries;
        if (signal?.aborted || (given_up && one.is_read)) {
          failed.push(`${target}: ${String(error)}`);
          continue;
        }
        if (given_up) {
          log.warn({ event: "setpoint_unknown", target, reason: String(error) });
          one.is_read = true;
          one.failures = 0;
        }
        queue.push(one);
      }
    }
    return failed;
  };
  const targets = drives.flatMap(({ device }) => device.targets);

  return {
    name: drives.map(({ device }) => device.name).join("+") || "none",
    targets,
    without_own_control: drives.flatMap(({ device }) => device.without_own_control ?? []),
    deviceOf: (target) => drives.find(({ device }) => device.targets.includes(target))?.device.name,
    async read(target, signal) {
      const drive = driveOf(target);
      return call(drive, reading(drive, target), signal);
    },
    async write(target, value, { permit, signal } = {}) {
      const drive = driveOf(target);
      await call(drive, writing(drive, target, value, permit), signal);
    },
    /** Every target gets its chance; what failed is told at the end. */
    async failSafe(terms = {}) {
      const failed = (await Promise.all(drives.map((drive) => failSafe(drive, terms)))).flat();
      if (failed.length > 0) throw new Error(failed.join("; "));
    },
    async close() {
      await Promise.all(drives.map(shut));
    },
  };
}
