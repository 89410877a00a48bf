import { type Mode, RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import type { Actuators } from "../../shared/contracts/config.ts";
import { type Rejection, reject, skadiError } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import { withDeadline } from "../devices/deadline.ts";
import type { ActuatorDriver } from "./driver.ts";
import { warms } from "./fail-safe.ts";

/** What became of a request to drive something. */
export interface GateResult {
  outcome: "applied" | "advised" | "refused";
  /** The setpoint before. */
  from: number | null;
  /** The same, as the device told it just now; absent where it did not. */
  found?: number | null;
  /** The setpoint in force now, as read back; absent where it is not known to have changed. */
  now?: number | null;
  rejection?: Rejection;
  /** The device did not answer, or did something else. */
  failed?: true;
}

export interface GateRequest {
  target: RackTarget;
  value: number | null;
  mode: Mode;
  /** Asked for to cool the rack: refused where the setpoint in force cools it more already. */
  to_cool?: boolean;
}

/** A device that has not answered by then is treated as one that failed. */
const CALL_TIMEOUT_MS = 5_000;
/** Devices round what they are told; a read-back this close is obedience. */
const READ_BACK_TOLERANCE = 1;

/**
 * The only way to an actuator. Every request, whoever makes it, passes the same checks before the driver is
 * called: the target exists, the value is finite, within the configured limits and within one step of the setpoint
 * in force, which is read just before; after the write the setpoint is read back.
 */
export async function driveThroughGate(
  driver: ActuatorDriver,
  actuators: Actuators,
  request: GateRequest,
  clock: Clock,
): Promise<GateResult> {
  const { target, value, mode } = request;
  if (!driver.targets.includes(target)) {
    if (mode === "advisory") return { outcome: "advised", from: null };
    const expected = `one of ${driver.targets.join(", ") || "none"}`;
    return { outcome: "refused", from: null, rejection: reject("SKADI_DRIVER", { field: target, expected }) };
  }
  let found: number | null | undefined;
  try {
    found = await readSetpoint(driver, target, clock);
    const from = found;
    const wrong = value === null ? undefined : wrongValue(actuators, request, from, value);
    if (wrong) return { outcome: "refused", from, found, rejection: wrong };
    if (mode === "advisory") return { outcome: "advised", from, found };
    await withTimeout((signal) => driver.write(target, value, { signal }), clock);
    const now = await readSetpoint(driver, target, clock);
    if (obeyed(value, now)) return { outcome: "applied", from, found, now };
    const detail = { field: target, value: now, expected: `a read-back of ${value}` };
    return { outcome: "refused", from, found, now, rejection: reject("SKADI_DRIVER", detail), failed: true };
  } catch (error) {
    const expected = `success (${error instanceof Error ? error.message : String(error)})`;
    return {
      outcome: "refused",
      from: found ?? null,
      ...(found === undefined ? {} : { found }),
      rejection: reject("SKADI_DRIVER", { field: target, value, expected }),
      failed: true,
    };
  }
}

function wrongValue(
  actuators: Actuators,
  { target, to_cool }: GateRequest,
  from: number | null,
  value: number,
): Rejection | undefined {
  if (to_cool && from !== null && warms(target, from, value)) {
    const expected = `what cools at least as well as the ${from} in force`;
    return reject("SKADI_CONFLICT", { field: target, value, expected });
  }
  return outsideLimits(actuators, target, from, value);
}

function obeyed(asked: number | null, now: number | null): boolean {
  if (asked === null || now === null) return asked === now;
  return Math.abs(asked - now) <= READ_BACK_TOLERANCE;
}

function outsideLimits(
  actuators: Actuators,
  target: RackTarget,
  from: number | null,
  value: number,
): Rejection | undefined {
  const { min, max, step_max } = actuators[target];
  if (!(value >= min && value <= max)) {
    return reject("SKADI_LIMIT", { field: target, value, expected: `${min} to ${max}` });
  }
  if (from === null) return undefined;
  // Someone else left the device outside its limits: the step back to the nearest of them may be of any size.
  const start = Math.min(max, Math.max(min, from));
  if (Math.abs(value - start) > step_max + 1e-9) {
    return reject("SKADI_LIMIT", {
      field: target,
      value,
      expected: `a step of at most ${step_max} from ${start}`,
    });
  }
  return undefined;
}

/**
 * The setpoint in force; null: the device's own control.
 *
 * @throws where the device does not answer in time, or with what is no number
 */
export async function readSetpoint(
  driver: ActuatorDriver,
  target: RackTarget,
  clock: Clock,
): Promise<number | null> {
  const value = await withTimeout((signal) => driver.read(target, signal), clock);
  if (value !== null && !Number.isFinite(value)) {
    throw skadiError("SKADI_DRIVER", { field: target, value, expected: "a setpoint, or none" });
  }
  return value;
}

/** The setpoints in force; a target that cannot be driven or read counts as automatic. */
export async function readSetpoints(
  driver: ActuatorDriver,
  clock: Clock,
  onProblem: (target: RackTarget, error: unknown) => void,
): Promise<Record<RackTarget, number | null>> {
  const setpoints = Object.fromEntries(RACK_TARGETS.map((target) => [target, null])) as Record<
    RackTarget,
    number | null
  >;
  for (const target of driver.targets) {
    try {
      setpoints[target] = await readSetpoint(driver, target, clock);
    } catch (error) {
      onProblem(target, error);
    }
  }
  return setpoints;
}

/** Rejects when the task takes longer than a device may, and ends it: a call that was given up writes nothing any more. */
function withTimeout<T>(task: (signal: AbortSignal) => Promise<T>, clock: Clock): Promise<T> {
  return withDeadline(CALL_TIMEOUT_MS, clock, task);
}
