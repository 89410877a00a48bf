import type { Action } from "../../shared/contracts/action.ts";
import { type Rejection, reject } from "../../shared/errors.ts";

/** What is known of a device and of the site when a setpoint is about to leave. */
export interface GateState {
  kill_switch: boolean;
  quarantined: boolean;
  /** When a setpoint last left for this device; −∞ if never. */
  sent_ms: number;
  /** Least time between two of them. */
  spacing_ms: number;
}

/**
 * The last word of the aggregator on every setpoint, whoever asks. A rollback need not wait its turn, and a device in
 * quarantine may still be handed back to its own control.
 */
export function refuseSend(
  action: Pick<Action, "kind" | "target" | "to">,
  state: GateState,
  now_ms: number,
): Rejection | null {
  const { kind, target, to } = action;
  if (state.kill_switch)
    return reject("SKADI_CONFLICT", { field: "kill_switch", value: true, expected: "false" });
  if (state.quarantined && to !== null) {
    const expected = "a device out of quarantine (POST /quarantine/release)";
    return reject("SKADI_CONFLICT", { field: target, value: to, expected });
  }
  const since_ms = now_ms - state.sent_ms;
  // A change in the future was made by a clock that ran ahead (an accelerated simulation); it says nothing.
  if (kind === "rollback" || since_ms < 0 || since_ms >= state.spacing_ms) return null;
  const expected = `one setpoint per device in ${state.spacing_ms / 1000} s`;
  return reject("SKADI_RATE_LIMITED", { field: target, value: to, expected });
}
