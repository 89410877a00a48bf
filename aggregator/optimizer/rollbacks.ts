import { randomUUID } from "node:crypto";
import { isoTime } from "../../shared/time.ts";
import type { SetpointAction } from "../actions/action-log.ts";
import { agentOnline } from "../fleet.ts";
import { attempt } from "./attempt.ts";
import { isGuarded } from "./held.ts";
import { keptMap } from "./kept-map.ts";
import type { TrialsContext } from "./trials.ts";

/** A command that was not answered by then has expired. */
export const ANSWER_MS = 60_000;

/** A change that is to be taken back, until it is; a restart does not forget it. */
interface Owed {
  action: SetpointAction;
  to: number | null;
  worsened: string;
  /** What was sent for it last; null where nothing could be. */
  sent: { id: string; at_ms: number } | null;
}

export interface Rollbacks {
  /** Takes a change back; where nothing may be driven, that is advised, and done as soon as something may. */
  takeBack(action: SetpointAction, to: number | null, worsened: string, now_ms: number): void;
  /**
   * Sends what could not be sent yet, and again what was refused or never answered, until the agent has done it or
   * somebody else sets the device.
   */
  settle(now_ms: number): void;
  /** Whether a change of this device is still to be taken back. */
  owes(device: string): boolean;
}

/**
 * @param keyOf names a device
 * @param devices the names of all
 */
export function createRollbacks(
  context: Pick<TrialsContext, "actions" | "store" | "mode" | "fleet" | "log">,
  keyOf: (action: SetpointAction) => string,
  devices: readonly string[],
): Rollbacks {
  const { actions, store, mode, fleet, log } = context;
  const owed = keptMap<Owed>(store.settings, "owed_rollback", devices);

  const rollbackOf = ({ action, to, worsened }: Owed, now_ms: number): SetpointAction => {
    const { predicted_saving_kw: _, realized_saving_kw: __, ...base } = action;
    return {
      ...base,
      id: randomUUID(),
      ts: isoTime(now_ms),
      kind: "rollback",
      mode: mode.of(action.rack_id),
      outcome: "advised",
      from: action.to,
      to,
      reason: `takes back ${action.id}: ${worsened}`,
      inputs: {},
    };
  };

  const pay = (debt: Owed, now_ms: number) => {
    const rack = fleet.get(debt.action.rack_id);
    const rollback = rollbackOf(debt, now_ms);
    // An agent that is away hears nothing, and a guardrail that protects the rack would refuse; what harms is taken back
    // as soon as the one is back, or the other lets go.
    const waits = rack && (!agentOnline(rack) || isGuarded(rack, true));
    if (rollback.mode !== "closed_loop" || waits || actions.refusal(rollback)) return;
    owed.set(keyOf(debt.action), { ...debt, sent: { id: rollback.id, at_ms: now_ms } });
    attempt(log, "sending a rollback", () => actions.send(rollback));
  };

  return {
    takeBack(action, to, worsened, now_ms) {
      const debt: Owed = { action, to, worsened, sent: null };
      owed.set(keyOf(action), debt);
      if (mode.of(action.rack_id) === "closed_loop") pay(debt, now_ms);
      else actions.record(rollbackOf(debt, now_ms));
    },
    settle(now_ms) {
      for (const [device, debt] of [...owed]) {
        const { id, rack_id, target, to } = debt.action;
        const outcome = debt.sent && store.actions.get(debt.sent.id)?.outcome;
        const in_force = store.actions.get(id)?.to ?? to;
        if (outcome === "applied" || actions.setpoints.value(rack_id, target) !== in_force)
          owed.delete(device);
        else if (outcome !== "sent" || now_ms - debt.sent!.at_ms >= ANSWER_MS) pay(debt, now_ms);
      }
    },
    owes: (device) => owed.has(device),
  };
}
