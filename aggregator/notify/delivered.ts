import type { Incident } from "../../shared/contracts/incident.ts";
import { isActive } from "../incidents/book.ts";
import type { SettingStore } from "../store/store.ts";

/** `updated_at` of the version that each channel took last, by incident and channel. */
type Versions = Record<string, Record<string, string>>;

const SETTING = "notifications";

/** Which incidents people were told of, over restarts. Holds what is not over, or whose end was not told yet. */
export interface Delivered {
  /** Incidents that some channel took. */
  ids(): string[];
  has(id: string): boolean;
  /** The version that the channel took last; undefined: none. */
  version(id: string, channel: string): string | undefined;
  /** A channel took these versions, or gave them up: then an end is not told later either. */
  settled(incidents: readonly Incident[], channel: string, taken: boolean): void;
  forget(id: string): void;
}

export function openDelivered(settings: SettingStore, channels: readonly string[]): Delivered {
  const versions = new Map<string, Map<string, string>>();
  for (const [id, kept] of Object.entries((settings.get(SETTING) as Versions | undefined) ?? {})) {
    // A channel that is no longer configured takes no end, so its incidents would stay for ever.
    const known = Object.entries(kept).filter(([channel]) => channels.includes(channel));
    if (known.length > 0) versions.set(id, new Map(known));
  }
  const save = () => {
    const entries = [...versions].map(([id, kept]) => [id, Object.fromEntries(kept)] as const);
    settings.put(SETTING, Object.fromEntries(entries) satisfies Versions);
  };
  return {
    ids: () => [...versions.keys()],
    has: (id) => versions.has(id),
    version: (id, channel) => versions.get(id)?.get(channel),
    settled(incidents, channel, taken) {
      for (const incident of incidents) {
        const { id, updated_at } = incident;
        const kept = versions.get(id) ?? new Map<string, string>();
        if (!isActive(incident)) kept.delete(channel);
        else if (taken) kept.set(channel, updated_at);
        if (kept.size > 0) versions.set(id, kept);
        else versions.delete(id);
      }
      save();
    },
    forget(id) {
      if (versions.delete(id)) save();
    },
  };
}
