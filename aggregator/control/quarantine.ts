import type { RackTarget } from "../../shared/contracts/action.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { EventBus } from "../events.ts";
import type { Store } from "../store/store.ts";

/** A device that did not do what it was asked: nothing is asked of it until an operator releases it. */
interface Quarantined {
  rack_id: string;
  target: RackTarget;
  since: string;
  reason: string;
  /** The change that it answered wrongly. */
  action_id: string;
}

export interface Quarantine {
  list(): Quarantined[];
  has(rack_id: string | null, target: string): boolean;
  /**
   * Keeps it (on the disk before it returns, even if the power fails then); a device that is in quarantine already stays
   * for its first reason.
   */
  add(device: Omit<Quarantined, "since">): void;
  /** @throws SKADI_NOT_FOUND for a device that is in none */
  release(rack_id: string, target: RackTarget): Quarantined;
}

const SETTING = "quarantine";

export function openQuarantine(context: {
  store: Store;
  events: EventBus;
  clock: Clock;
  log: Log;
}): Quarantine {
  const { store, events, clock, log } = context;
  const keyOf = (rack_id: string | null, target: string) => `${rack_id}/${target}`;
  const stored = (store.settings.get(SETTING) ?? []) as Quarantined[];
  const devices = new Map(stored.map((device) => [keyOf(device.rack_id, device.target), device]));
  const keep = (state: "quarantined" | "released", device: Quarantined) => {
    store.settings.put(SETTING, [...devices.values()]);
    store.flush({ durable: true });
    events.publish("quarantine", device.rack_id, { state, ...device });
    log.warn({ state, ...device }, "quarantine");
  };
  return {
    list: () => [...devices.values()],
    has: (rack_id, target) => devices.has(keyOf(rack_id, target)),
    add(added) {
      const key = keyOf(added.rack_id, added.target);
      if (devices.has(key)) return;
      const device = { ...added, since: isoTime(clock.now()) };
      devices.set(key, device);
      keep("quarantined", device);
    },
    release(rack_id, target) {
      const device = devices.get(keyOf(rack_id, target));
      if (!device) {
        const value = `${rack_id} ${target}`;
        throw skadiError("SKADI_NOT_FOUND", { field: "device", value, expected: "a device in quarantine" });
      }
      devices.delete(keyOf(rack_id, target));
      keep("released", device);
      return device;
    },
  };
}
