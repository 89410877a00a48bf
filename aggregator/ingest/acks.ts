import { Ack } from "../../shared/contracts/messages.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import type { Rejection } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { ActionLog } from "../actions/action-log.ts";
import type { Counters } from "../counters.ts";
import type { EventBus } from "../events.ts";
import type { Fleet } from "../fleet.ts";
import type { Store } from "../store/store.ts";
import type { Rejections } from "./rejections.ts";
import { findRack } from "./site.ts";

interface AckContext {
  log: Log;
  counters: Counters;
  events: EventBus;
  fleet: Fleet;
  store: Store;
  actions: ActionLog;
  rejections: Rejections;
  onModelAck: (rack_id: string, ack: Ack) => void;
}

/** Agents' answers to models and commands. The aggregator's own negative acknowledgements pass by unheeded. */
export function ackIngest(context: AckContext): (topic_rack: string, payload: Uint8Array) => void {
  return (topic_rack, payload) => {
    const parsed = parsePayload(Ack, payload);
    if (!parsed.ok) return context.rejections.refuse(topic_rack, "ack", parsed.rejections);
    const { of, rack_id, ok, ts, errors } = parsed.value;
    // An agent cannot trust the id of a command or a model that it cannot verify, so it leaves it out.
    const ref = parsed.value.ref ?? (ok ? undefined : "unverified");
    if (!ref || (of !== "model" && of !== "command")) return;
    const rack = findRack(context.fleet, rack_id, topic_rack);
    if (!rack.ok) return context.rejections.refuse(topic_rack, "ack", rack.rejections);
    if (of === "model") {
      context.store.models.putAck(ref, { rack_id, ok, ts, errors });
      context.onModelAck(rack_id, parsed.value);
    } else if (!ok) commandRefused(rack_id, ref, errors, context);
  };
}

function commandRefused(rack_id: string, command_id: string, errors: Rejection[], context: AckContext): void {
  context.log.warn({ rack_id, command_id, rejections: errors }, "command refused by the agent");
  context.counters.commands_refused++;
  context.events.publish("command_refused", rack_id, { command_id, errors });
  context.actions.commandRefused(command_id, errors);
}
