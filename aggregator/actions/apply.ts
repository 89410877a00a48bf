import { randomUUID } from "node:crypto";
import { type Action, RackTarget } from "../../shared/contracts/action.ts";
import type { Actuators } from "../../shared/contracts/config.ts";
import { skadiError } from "../../shared/errors.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { ModeControl } from "../control/mode.ts";
import { agentOnline, type Fleet } from "../fleet.ts";
import type { Store } from "../store/store.ts";
import type { ActionLog, SetpointAction } from "./action-log.ts";

export interface ApplyContext {
  clock: Clock;
  actuators: Actuators;
  fleet: Fleet;
  mode: ModeControl;
  store: Store;
  actions: ActionLog;
}

export interface Setpoint {
  rack_id: string;
  target: RackTarget;
  /** null hands the device back to its own control. */
  value: number | null;
}

/** Advice rests on the state of its time; older than this, a new tick should give new advice. */
export const ADVICE_VALID_MS = 600_000;
/** A rack's clock may be ahead by so much; of advice that is further ahead nobody knows how old it is. */
export const ADVICE_AHEAD_MS = 60_000;

/** An operator's own setpoint: only where the rack is in closed loop; a device may always be handed back. */
export function applySetpoint(context: ApplyContext, setpoint: Setpoint, reason: string): Action {
  refuseUnderKillSwitch(context);
  const mode = context.mode.of(setpoint.rack_id);
  if (mode !== "closed_loop" && setpoint.value !== null) {
    const expected = "closed_loop, the action_id of a recommendation, or value null";
    throw skadiError("SKADI_CONFLICT", { field: "mode", value: mode, expected });
  }
  return send(context, setpoint, reason, { id: randomUUID(), approved: setpoint.value === null });
}

/**
 * An operator's approval of one recommendation, of the optimizer or of a rack's guardrail: it is driven in either mode,
 * but never against the kill switch.
 */
export function applyAdvice(context: ApplyContext, action_id: string): Action {
  refuseUnderKillSwitch(context);
  const advice = context.store.actions.get(action_id);
  if (!advice) throw skadiError("SKADI_NOT_FOUND", { field: "action_id", value: action_id });
  const conflict = (field: string, value: unknown, expected: string) =>
    skadiError("SKADI_CONFLICT", { field, value, expected });
  if (advice.source === "operator")
    throw conflict("source", advice.source, "a recommendation of the optimizer or of a guardrail");
  if (advice.outcome !== "advised") throw conflict("outcome", advice.outcome, "advised");
  const age_ms = context.clock.now() - Date.parse(advice.ts);
  if (age_ms < -ADVICE_AHEAD_MS)
    throw conflict("ts", advice.ts, "an instant that is not to come: the rack's clock is ahead");
  if (age_ms > ADVICE_VALID_MS)
    throw conflict("ts", advice.ts, `advice of the last ${ADVICE_VALID_MS / 1000} s`);
  const target = RackTarget.safeParse(advice.target);
  if (!target.success || advice.rack_id === null)
    throw conflict("target", advice.target, "a target with an actuator");
  const setpoint = { rack_id: advice.rack_id, target: target.data, value: advice.to };
  return send(context, setpoint, `approved: ${advice.reason}`, { id: action_id, approved: true });
}

/** Said first, and whatever else is wrong: this is what an operator who pulled it expects to read. */
function refuseUnderKillSwitch({ mode }: ApplyContext): void {
  if (!mode.get().kill_switch) return;
  throw skadiError("SKADI_CONFLICT", { field: "kill_switch", value: true, expected: "false" });
}

function send(
  context: ApplyContext,
  setpoint: Setpoint,
  reason: string,
  { id, approved }: { id: string; approved: boolean },
): Action {
  const { rack_id, target, value } = setpoint;
  const rack = context.fleet.get(rack_id);
  if (!rack) throw skadiError("SKADI_UNKNOWN_RACK", { field: "rack_id", value: rack_id });
  if (!agentOnline(rack)) {
    throw skadiError("SKADI_CONFLICT", {
      field: "rack_id",
      value: rack_id,
      expected: "a rack whose agent is online",
    });
  }
  const { min, max } = context.actuators[target];
  if (value !== null && (value < min || value > max)) {
    throw skadiError("SKADI_LIMIT", { field: "value", value, expected: `from ${min} to ${max}, or null` });
  }
  const action: SetpointAction = {
    v: 1,
    id,
    ts: isoTime(context.clock.now()),
    rack_id,
    source: "operator",
    kind: "manual",
    target,
    from: context.actions.setpoints.value(rack_id, target),
    to: value,
    mode: context.mode.of(rack_id),
    outcome: "sent",
    reason,
    inputs: {},
  };
  context.actions.send(action, approved);
  return action;
}
