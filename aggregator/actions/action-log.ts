import { canonicalJson } from "../../shared/canonical.ts";
import type { Action, RackTarget } from "../../shared/contracts/action.ts";
import { type Rejection, reject, SkadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { Journal } from "../audit/journal.ts";
import type { Commander } from "../commands/commander.ts";
import type { ModeControl } from "../control/mode.ts";
import type { Quarantine } from "../control/quarantine.ts";
import { type Counters, countOutcome } from "../counters.ts";
import type { EventBus } from "../events.ts";
import type { Store } from "../store/store.ts";
import { refuseSend } from "./gate.ts";
import { type Setpoints, trackSetpoints } from "./setpoints.ts";

export interface ActionLog {
  readonly setpoints: Setpoints;
  /** The optimizer's changes, and those that one was taken back to, that still set their device; newest first. */
  inForce(): SetpointAction[];
  /** The optimizer's changes that were sent last to their device and that no agent has answered; newest first. */
  unanswered(): SetpointAction[];
  /** Keeps an action that was decided here, or a new version of one. */
  record(action: Action): void;
  /** Why a setpoint may not leave now; null if it may. */
  refusal(action: Pick<SetpointAction, "rack_id" | "target" | "kind" | "to">): Rejection | null;
  /**
   * Records a setpoint as sent and sends it, signed, to the rack's agent; what an operator approved is driven in
   * advisory too. What cannot be written down first does not leave, but for what lets go: a rollback, or a device that is
   * handed back.
   *
   * @throws the refusal, if there is one, or why it cannot be written down
   */
  send(action: SetpointAction, approved?: boolean): void;
  /**
   * An agent's own action, or the outcome of one that was sent to it. Anything else is made up, and refused: agents
   * decide for the guardrail only, and answer only for their own rack and target.
   */
  fromAgent(action: Action): Rejection | null;
  /** An agent would not take a command; if it carried an action, the action is refused. */
  commandRefused(command_id: string, errors: Rejection[]): void;
}

export type SetpointAction = Action & {
  rack_id: string;
  target: RackTarget;
  source: "optimizer" | "operator";
};

interface ActionLogContext {
  clock: Clock;
  log: Log;
  /** Least time between two setpoints of one device. */
  device_spacing_s: number;
  mode: ModeControl;
  quarantine: Quarantine;
  journal: Journal;
  store: Store;
  counters: Counters;
  events: EventBus;
  commander: Commander;
}

/** As many recent actions as tell when each device of a large site was last advised to change. */
const HISTORY = 5_000;
/** Commands whose answer is still awaited; they expire within a minute, so few are ever open. */
const OPEN_COMMANDS_MAX = 10_000;

export function actionLog(context: ActionLogContext): ActionLog {
  const { store, counters, events } = context;
  const setpoints = trackSetpoints([
    // However long ago that was, and whatever was only advised since.
    ...store.actions.newestPerDevice("sent"),
    ...store.actions.newestPerDevice("applied"),
    ...store.actions.recent(HISTORY).reverse(),
  ]);
  const action_of_command = new Map<string, string>();
  const record = (action: Action) => {
    const known = store.actions.get(action.id);
    // An outbox that repeats itself says nothing new.
    if (known && canonicalJson(known) === canonicalJson(action)) return;
    if (!known) counters.actions++;
    countOutcome(counters, action, known);
    store.actions.put(action);
    context.journal.append(action);
    // An action whose saving is noted later may have been followed by others meanwhile.
    if (known?.outcome !== action.outcome || known.to !== action.to) setpoints.observe(action);
    events.publish("action", action.rack_id, { ...action });
  };
  const refusal: ActionLog["refusal"] = (action) => {
    const { rack_id, target } = action;
    const state = {
      kill_switch: context.mode.get().kill_switch,
      quarantined: context.quarantine.has(rack_id, target),
      sent_ms: setpoints.sentMs(rack_id, target),
      spacing_ms: context.device_spacing_s * 1000,
    };
    return refuseSend(action, state, context.clock.now());
  };
  /** An answer to what is not on the disk would be refused after a restart as made up. */
  const writeDown = (action: SetpointAction) => {
    try {
      store.flush();
    } catch (error) {
      const { id: action_id, rack_id, target, reason } = action;
      const lets_go = action.kind === "rollback" || action.to === null;
      context.log.error({ err: error, action_id, rack_id, target, lets_go }, "cannot write a setpoint down");
      if (lets_go) return;
      record({ ...action, outcome: "refused", reason: `${reason}; not sent: it could not be written down` });
      throw error;
    }
  };
  return {
    setpoints,
    refusal,
    inForce: () => setpoints.applied().reverse().filter(isOptimizers),
    unanswered: () => setpoints.unanswered().reverse().filter(isOptimizers),
    record,
    send(action, approved = false) {
      const refused = refusal(action);
      if (refused) throw new SkadiError(refused);
      record({ ...action, outcome: "sent" });
      writeDown(action);
      const { rack_id, target, to: value, id: action_id, source, reason } = action;
      const body = { kind: "setpoint" as const, target, value, action_id, source, reason, approved };
      const command_id = context.commander.send(rack_id, body);
      action_of_command.set(command_id, action_id);
      const oldest = action_of_command.keys().next().value;
      if (action_of_command.size > OPEN_COMMANDS_MAX && oldest !== undefined)
        action_of_command.delete(oldest);
    },
    fromAgent(action) {
      const known = store.actions.get(action.id);
      const wrong = known ? differing(known, action) : foreign(action);
      if (wrong) return wrong;
      record(known ? mergeOutcome(known, action) : action);
      return null;
    },
    commandRefused(command_id, errors) {
      const action_id = action_of_command.get(command_id);
      const action = action_id === undefined ? null : store.actions.get(action_id);
      if (!action) return;
      const reason = errors.map((error) => error.message).join("; ");
      record({ ...action, outcome: "refused", reason: `${action.reason}; refused: ${reason}` });
    },
  };
}

/** A change of the optimizer's, or what it was taken back to: not the device's own control. */
function isOptimizers(action: Action): action is SetpointAction {
  const { source, kind, to } = action;
  return source === "optimizer" && (kind === "optimize" || kind === "rollback") && to !== null;
}

function differing(known: Action, answer: Action): Rejection | null {
  for (const field of ["rack_id", "target", "source"] as const) {
    if (known[field] === answer[field]) continue;
    return reject("SKADI_CONFLICT", { field, value: answer[field], expected: String(known[field]) });
  }
  return null;
}

function foreign(action: Action): Rejection | null {
  if (action.source === "guardrail") return null;
  return reject("SKADI_NOT_FOUND", {
    field: "id",
    value: action.id,
    expected: "an action that was sent from here",
  });
}

/** The agent says what became of a decision; why it was taken and what it promised is known here. */
function mergeOutcome(known: Action, answer: Action): Action {
  const refused = answer.outcome === "refused" && known.outcome !== "refused";
  return {
    ...known,
    mode: answer.mode,
    outcome: answer.outcome,
    from: answer.from,
    to: answer.to,
    reason: refused ? `${known.reason}; refused: ${answer.reason}` : known.reason,
  };
}
