import type { Ack } from "../../shared/contracts/messages.ts";
import type { Score } from "../../shared/contracts/score.ts";
import { parseUpTopic } from "../../shared/contracts/topics.ts";
import type { Rejection } from "../../shared/errors.ts";
import type { Scorer } from "../../shared/ims/score.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { ActionLog } from "../actions/action-log.ts";
import type { Commander } from "../commands/commander.ts";
import type { ModeControl } from "../control/mode.ts";
import { type Counters, countRejected } from "../counters.ts";
import type { EventBus } from "../events.ts";
import type { Fleet, Rack } from "../fleet.ts";
import type { Mms } from "../mms/mms.ts";
import type { Store } from "../store/store.ts";
import { ackIngest } from "./acks.ts";
import { actionIngest } from "./actions.ts";
import type { Rejections } from "./rejections.ts";
import { routeMessages } from "./router.ts";
import { scoreIngest } from "./scores.ts";
import { statusIngest } from "./status.ts";
import { type TelemetryIngest, telemetryIngest } from "./telemetry.ts";

export interface Ingest {
  readonly telemetry: TelemetryIngest;
  /** Handles a message from the broker; whatever is in it, this does not throw. */
  onMessage(topic: string, payload: Uint8Array): void;
}

export interface IngestContext {
  site: string;
  clock: Clock;
  log: Log;
  counters: Counters;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  rejections: Rejections;
  mms: Mms;
  commander: Commander;
  mode: ModeControl;
  actions: ActionLog;
  scorerOf: (rack_id: string) => Scorer | null;
  onScore: (rack: Rack, score: Score) => void;
  onModelAck: (rack_id: string, ack: Ack) => void;
  onManifest: (payload: Uint8Array) => void;
  onSimulatorStatus: (payload: Uint8Array) => void;
  publish: (topic: string, message: object) => void;
}

/** One handler per channel, in one list. */
export function createIngest(context: IngestContext): Ingest {
  const scores = scoreIngest(context);
  const telemetry = telemetryIngest({ ...context, scores });
  const route = routeMessages({
    site: context.site,
    channels: {
      telemetry: telemetry.fromMqtt,
      score: scores.fromMqtt,
      status: statusIngest(context),
      action: actionIngest(context),
      ack: ackIngest(context),
    },
    manifest: context.onManifest,
    simulatorStatus: context.onSimulatorStatus,
  });
  return {
    telemetry,
    onMessage(topic, payload) {
      try {
        route(topic, payload);
      } catch (error) {
        // One message that meets a defect must not cost all the others.
        countRejected(context.counters, ["SKADI_INTERNAL"]);
        context.log.error({ err: error, topic }, "cannot handle a message");
      }
    },
  };
}

const CLIENT_ID_MAX_CHARS = 64;

/** A publish that the embedded broker did not let through. */
export function brokerRefusals(context: { counters: Counters; rejections: Rejections }) {
  return (topic: string, rejection: Rejection, client_id: string | null): void => {
    context.counters.refused_publishes++;
    const up = parseUpTopic(topic);
    if (up) context.rejections.refuse(up.rack_id, up.channel, [rejection]);
    else context.rejections.record((client_id ?? "?").slice(0, CLIENT_ID_MAX_CHARS), "command", [rejection]);
  };
}
