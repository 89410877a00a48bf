import { Status } from "../../shared/contracts/messages.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import type { Clock } from "../../shared/time.ts";
import type { Commander } from "../commands/commander.ts";
import type { ModeControl } from "../control/mode.ts";
import type { EventBus } from "../events.ts";
import { agentOnline, type Fleet, type Rack } from "../fleet.ts";
import type { Rejections } from "./rejections.ts";
import { findRack } from "./site.ts";

/** An agent that reports another mode than ordered is told again, but not more often than this. */
const REMIND_MS = 30_000;

interface StatusContext {
  clock: Clock;
  fleet: Fleet;
  events: EventBus;
  rejections: Rejections;
  commander: Commander;
  mode: ModeControl;
}

/** Keeps each rack's agent status; an agent that comes online is told its rack's mode and its rack's MMS state. */
export function statusIngest(context: StatusContext): (topic_rack: string, payload: Uint8Array) => void {
  const told_ms = new Map<string, number>();
  const tell = (rack: Rack) => {
    told_ms.set(rack.rack_id, context.clock.now());
    context.mode.tell(rack);
    context.commander.send(rack.rack_id, { kind: "mms_state", state: rack.mms?.state ?? "transient" });
  };
  return (topic_rack, payload) => {
    if (payload.byteLength === 0) return;
    const parsed = parsePayload(Status, payload);
    if (!parsed.ok) return context.rejections.refuse(topic_rack, "status", parsed.rejections);
    const status = parsed.value;
    const found = findRack(context.fleet, status.rack_id, topic_rack);
    if (!found.ok) return context.rejections.refuse(topic_rack, "status", found.rejections);
    const rack = found.value;
    const was_online = agentOnline(rack);
    rack.status = status;
    const online = agentOnline(rack);
    if (online !== was_online) {
      const { state, agent_version, driver, model_id } = status;
      context.events.publish("status", rack.rack_id, { state, agent_version, driver, model_id });
    }
    const reminded_ms = told_ms.get(rack.rack_id) ?? Number.NEGATIVE_INFINITY;
    const differs =
      status.mode !== context.mode.of(rack.rack_id) && context.clock.now() - reminded_ms > REMIND_MS;
    if (online && (!was_online || differs)) tell(rack);
  };
}
