import type { Ack } from "../../shared/contracts/messages.ts";
import { RackId } from "../../shared/contracts/rack.ts";
import { upTopic } from "../../shared/contracts/topics.ts";
import type { Rejection } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import { type Counters, countRejected } from "../counters.ts";
import type { EventBus } from "../events.ts";

/** One line per source in this time; a flood must not fill the disk. The counters stay exact. */
const LOG_EVERY_MS = 10_000;
/** Sources that are told apart; names come off the wire, so their number must be bounded. */
const SOURCES_MAX = 1_000;

type RejectedKind = Ack["of"] | "ack";

export interface RejectionContext {
  site: string;
  clock: Clock;
  log: Log;
  counters: Counters;
  events: EventBus;
  publish: (topic: string, message: object) => void;
  /** Real time, whatever the clock's speed: the disk fills in real time. */
  real_ms?: () => number;
}

export interface Rejections {
  /** Counts and logs; `source` names where the payload came from. */
  record(source: string, of: RejectedKind, rejections: Rejection[]): void;
  /** The same for a message from MQTT, with a negative acknowledgement on the rack's ack topic. */
  refuse(topic_rack: string, of: RejectedKind, rejections: Rejection[]): void;
}

export function createRejections(context: RejectionContext): Rejections {
  const { clock, counters, log, events, site } = context;
  const realMs = context.real_ms ?? (() => performance.now());
  const sources = new Map<string, { logged_ms: number; suppressed: number }>();

  const record: Rejections["record"] = (source, of, rejections) => {
    countRejected(
      counters,
      rejections.map((rejection) => rejection.code),
    );
    const name = sources.has(source) || sources.size < SOURCES_MAX ? source : "(others)";
    const entry = sources.get(name) ?? { logged_ms: Number.NEGATIVE_INFINITY, suppressed: 0 };
    sources.set(name, entry);
    const now_ms = realMs();
    if (now_ms - entry.logged_ms < LOG_EVERY_MS) {
      entry.suppressed++;
      return;
    }
    const { suppressed } = entry;
    entry.logged_ms = now_ms;
    entry.suppressed = 0;
    log.warn({ source, of, rejections, suppressed }, "payload rejected");
    events.publish("rejection", RackId.safeParse(source).success ? source : null, {
      of,
      rejections,
      suppressed,
    });
  };
  return {
    record,
    refuse(topic_rack, of, rejections) {
      record(topic_rack, of, rejections);
      // An acknowledgement of an acknowledgement would never end; a nonsense rack has nobody who listens.
      if (of === "ack" || !RackId.safeParse(topic_rack).success) return;
      const ts = isoTime(clock.now());
      const ack: Ack = { v: 1, ts, rack_id: topic_rack, of, ok: false, errors: rejections };
      context.publish(upTopic(site, topic_rack, "ack"), ack);
    },
  };
}
