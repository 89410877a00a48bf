import { Ack } from "../../shared/contracts/messages.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import type { ActionLog } from "../actions/action-log.ts";
import type { Fleet } from "../fleet.ts";
import type { Store } from "../store/store.ts";
import type { Rejections } from "./rejections.ts";
import { findRack } from "./site.ts";

interface AckContext {
  fleet: Fleet;
  store: Store;
  actions: ActionLog;
  rejections: Rejections;
}

/** Agents' answers to models and commands. The aggregator's own negative acknowledgements pass by unheeded. */
export function ackIngest(context: AckContext): (topic_rack: string, payload: Uint8Array) => void {
  return (topic_rack, payload) => {
    const parsed = parsePayload(Ack, payload);
    if (!parsed.ok) return context.rejections.refuse(topic_rack, "ack", parsed.rejections);
    const ack = parsed.value;
    if (!ack.ref || (ack.of !== "model" && ack.of !== "command")) return;
    const rack = findRack(context.fleet, ack.rack_id, topic_rack);
    if (!rack.ok) return context.rejections.refuse(topic_rack, "ack", rack.rejections);
    const { rack_id, ok, ts, errors } = ack;
    if (ack.of === "model") context.store.models.putAck(ack.ref, { rack_id, ok, ts, errors });
    else if (!ok) context.actions.commandRefused(ack.ref, errors);
  };
}
