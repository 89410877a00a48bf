import { Action } from "../../shared/contracts/action.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import type { ActionLog } from "../actions/action-log.ts";
import type { Fleet } from "../fleet.ts";
import type { Rejections } from "./rejections.ts";
import { findRack } from "./site.ts";

interface ActionContext {
  fleet: Fleet;
  actions: ActionLog;
  rejections: Rejections;
}

/** What agents did or advised: guardrail actions, and the outcome of setpoints that were sent to them. */
export function actionIngest(context: ActionContext): (topic_rack: string, payload: Uint8Array) => void {
  return (topic_rack, payload) => {
    const parsed = parsePayload(Action, payload);
    if (!parsed.ok) return context.rejections.refuse(topic_rack, "action", parsed.rejections);
    const rack = findRack(context.fleet, parsed.value.rack_id, topic_rack);
    if (!rack.ok) return context.rejections.refuse(topic_rack, "action", rack.rejections);
    const wrong = context.actions.fromAgent(parsed.value);
    if (wrong) context.rejections.refuse(topic_rack, "action", [wrong]);
  };
}
