import type { RackTarget } from "../../shared/contracts/action.ts";
import type { ActuatorLimits } from "../../shared/contracts/agent-config.ts";

/**
 * How long a fail-safe may take by default, be it the stopping agent's or the command's: a device that hangs needs twice
 * its `timeout_s` just to be found unreadable. Whatever ends the agent (systemd, a container engine) has to wait longer.
 */
export const FAIL_SAFE_TIMEOUT_S = 20;

/** Of these, more is cooler; of all others less is. */
const MORE_IS_COOLER: readonly RackTarget[] = ["fan_rpm_pct", "pump_rpm_pct"];

/**
 * Whether a change leaves the rack less cooling, or more heat, than before.
 *
 * @param before the setpoint in force or, under the device's own control, the measured speed; null: unknown for fan and
 *   pump, and for all others no limit on the work
 * @param after null: the device's own control, which is no warmer than what anyone may set
 */
export function warms(target: RackTarget, before: number | null, after: number | null): boolean {
  if (after === null) return false;
  if (MORE_IS_COOLER.includes(target)) return before === null || after < before;
  return before !== null && after > before;
}

/**
 * What to leave a target at when nobody looks after it any more: at least as cool as before.
 *
 * @param current the setpoint in force; null: the device's own control, which is left alone; undefined: unknown
 * @returns the setpoint to write, or undefined to leave things as they are
 */
export function failSafeValue(
  target: RackTarget,
  { min, max, fail_safe }: ActuatorLimits,
  current: number | null | undefined,
): number | undefined {
  if (current === null) return undefined;
  const more = MORE_IS_COOLER.includes(target);
  if (current === undefined) return fail_safe ?? (more ? max : undefined);
  const wanted = fail_safe ?? current;
  const cooler = more ? Math.max(wanted, current) : Math.min(wanted, current);
  const within = Math.min(max, Math.max(min, cooler));
  // Someone left the device beyond the limits on the cool side: coming back inside would warm the rack.
  const kept = more ? Math.max(within, current) : Math.min(within, current);
  return kept === current ? undefined : kept;
}
