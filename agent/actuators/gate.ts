import type { Mode, RackTarget } from "../../shared/contracts/action.ts";
import type { Actuators } from "../../shared/contracts/config.ts";
import { type Rejection, reject } from "../../shared/errors.ts";
import type { ActuatorDriver } from "./driver.ts";

/** What became of a request to drive something. */
export interface GateResult {
  outcome: "applied" | "advised" | "refused";
  from: number | null;
  rejection?: Rejection;
}

export interface GateRequest {
  target: RackTarget;
  value: number | null;
  mode: Mode;
}

/**
 * The only way to an actuator. Every request, whoever makes it, passes the same checks before the driver is
 * called: the target exists, the value is finite, within the configured limits and within one step of the setpoint
 * in force; after the write the setpoint is read back.
 */
export async function driveThroughGate(
  driver: ActuatorDriver,
  actuators: Actuators,
  request: GateRequest,
): Promise<GateResult> {
  const { target, value, mode } = request;
  if (!driver.targets.includes(target)) {
    if (mode === "advisory") return { outcome: "advised", from: null };
    return refused(
      null,
      reject("SKADI_DRIVER", { field: target, expected: `one of ${driver.targets.join(", ") || "none"}` }),
    );
  }
  try {
    const from = await driver.read(target);
    const outside = value === null ? undefined : outsideLimits(actuators, target, from, value);
    if (outside) return refused(from, outside);
    if (mode === "advisory") return { outcome: "advised", from };
    await driver.write(target, value);
    const now = await driver.read(target);
    if (now === value) return { outcome: "applied", from };
    const detail = { field: target, value: now, expected: `a read-back of ${value}` };
    return refused(from, reject("SKADI_DRIVER", detail));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refused(null, reject("SKADI_DRIVER", { field: target, value, expected: `success (${reason})` }));
  }
}

function refused(from: number | null, rejection: Rejection): GateResult {
  return { outcome: "refused", from, rejection };
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
  if (from !== null && Math.abs(value - from) > step_max + 1e-9) {
    return reject("SKADI_LIMIT", {
      field: target,
      value,
      expected: `a step of at most ${step_max} from ${from}`,
    });
  }
  return undefined;
}

/** The setpoints in force; a target that cannot be driven or read is automatic. */
export async function readSetpoints(driver: ActuatorDriver): Promise<Record<RackTarget, number | null>> {
  const setpoints: Record<RackTarget, number | null> = {
    fan_rpm_pct: null,
    pump_rpm_pct: null,
    routing_weight_pct: null,
    admission_pct: null,
    batch_window_ms: null,
  };
  for (const target of driver.targets) setpoints[target] = await driver.read(target);
  return setpoints;
}
