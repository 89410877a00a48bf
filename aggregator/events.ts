import { randomUUID } from "node:crypto";
import { type Clock, isoTime } from "../shared/time.ts";
import type { Store, StoredEvent } from "./store/store.ts";

/** Kept in the store and shown on the timeline. */
export const KEPT_EVENTS = [
  "mms",
  "status",
  "mode",
  "model",
  "model_stage",
  "model_pin",
  "model_keys",
  "scenario",
  "seq_restart",
  "clock",
  "rollback",
  "quarantine",
  "command_refused",
  "incident",
  "drift",
  "retraining",
] as const;
/** The rest is only sent to whoever listens. */
type EventType = (typeof KEPT_EVENTS)[number] | "score" | "action" | "rejection" | "rollout";

/** `cursor` says where the event stands among all: a listener that was away names the last one it had. */
type LiveEvent = StoredEvent & { cursor: string };

export interface EventBus {
  publish(type: EventType, rack_id: string | null, data: Record<string, unknown>): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: LiveEvent) => void): () => void;
  /**
   * What happened after the event with this cursor, oldest first, without the scores, of which only the newest count;
   * null if that is no longer known.
   */
  since(cursor: string): LiveEvent[] | null;
}

/** So many events are remembered for listeners that come back; a busy site makes them in some minutes. */
const REMEMBERED = 2_000;

export function eventBus(store: Store, clock: Clock): EventBus {
  const listeners = new Set<(event: LiveEvent) => void>();
  const kept = new Set<string>(KEPT_EVENTS);
  // Cursors of a run before this one mean nothing here.
  const epoch = randomUUID().slice(0, 8);
  let count = 0;
  let forgotten = 0;
  const remembered: { n: number; event: LiveEvent }[] = [];
  const remember = (n: number, event: LiveEvent) => {
    remembered.push({ n, event });
    // In blocks, so that the array is not moved for every event.
    if (remembered.length < 2 * REMEMBERED) return;
    const dropped = remembered.splice(0, REMEMBERED);
    forgotten = dropped.at(-1)?.n ?? forgotten;
  };
  return {
    publish(type, rack_id, data) {
      const n = ++count;
      const event = { id: randomUUID(), ts: isoTime(clock.now()), type, rack_id, data };
      if (kept.has(type)) store.events.add(event);
      const live = { ...event, cursor: `${epoch}-${n}` };
      if (type !== "score") remember(n, live);
      for (const listener of listeners) listener(live);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    since(cursor) {
      const [its_epoch, number] = cursor.split("-");
      const after = Number(number);
      if (its_epoch !== epoch || !Number.isInteger(after) || after < forgotten || after > count) return null;
      return remembered.filter(({ n }) => n > after).map(({ event }) => event);
    },
  };
}
