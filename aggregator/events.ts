import { randomUUID } from "node:crypto";
import { type Clock, isoTime } from "../shared/time.ts";
import type { Store, StoredEvent } from "./store/store.ts";

/** Kept in the store and shown on the timeline. */
const KEPT_EVENTS = [
  "mms",
  "status",
  "mode",
  "model",
  "model_stage",
  "model_pin",
  "model_keys",
  "scenario",
  "seq_restart",
  "rollback",
  "quarantine",
  "command_refused",
  "incident",
] as const;
/** The rest is only sent to whoever listens. */
type EventType = (typeof KEPT_EVENTS)[number] | "score" | "action" | "rejection" | "rollout";

export interface EventBus {
  publish(type: EventType, rack_id: string | null, data: Record<string, unknown>): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: StoredEvent) => void): () => void;
}

export function eventBus(store: Store, clock: Clock): EventBus {
  const listeners = new Set<(event: StoredEvent) => void>();
  const kept = new Set<string>(KEPT_EVENTS);
  return {
    publish(type, rack_id, data) {
      const event = { id: randomUUID(), ts: isoTime(clock.now()), type, rack_id, data };
      if (kept.has(type)) store.events.add(event);
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
