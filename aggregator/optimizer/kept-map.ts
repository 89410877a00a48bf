import type { SettingStore } from "../store/store.ts";

/** A map that a restart does not empty. */
export interface KeptMap<Value> extends Iterable<[string, Value]> {
  get(key: string): Value | undefined;
  has(key: string): boolean;
  /** An entry that is set anew becomes the last. */
  set(key: string, value: Value): void;
  delete(key: string): void;
  values(): Iterable<Value>;
}

/**
 * Each entry is a setting of its own, so that a change of one writes only that one.
 *
 * @param name of the map among the settings
 * @param keys that may have been kept
 */
export function keptMap<Value>(
  settings: SettingStore,
  name: string,
  keys: readonly string[],
): KeptMap<Value> {
  const nameOf = (key: string) => `${name}/${key}`;
  const stored = keys.map((key) => [key, settings.get(nameOf(key)) ?? null] as [string, Value | null]);
  const map = new Map(stored.filter((entry): entry is [string, Value] => entry[1] !== null));
  return {
    get: (key) => map.get(key),
    has: (key) => map.has(key),
    values: () => map.values(),
    [Symbol.iterator]: () => map[Symbol.iterator](),
    set(key, value) {
      map.delete(key);
      map.set(key, value);
      settings.put(nameOf(key), value);
    },
    delete(key) {
      if (map.delete(key)) settings.put(nameOf(key), null);
    },
  };
}
