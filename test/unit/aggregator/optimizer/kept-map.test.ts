import { describe, expect, it } from "vitest";
import { keptMap } from "../../../../aggregator/optimizer/kept-map.ts";

function settings() {
  const values = new Map<string, string>();
  return {
    get: (key: string) => JSON.parse(values.get(key) ?? "null"),
    put: (key: string, value: unknown) => void values.set(key, JSON.stringify(value)),
  };
}

describe("a kept map", () => {
  const KEYS = ["a", "b", "c"];

  it("holds after a restart what it held before", () => {
    const store = settings();
    const map = keptMap<{ n: number }>(store, "notes", KEYS);
    map.set("b", { n: 1 });
    map.set("a", { n: 2 });
    map.set("b", { n: 3 });
    map.set("c", { n: 4 });
    map.delete("c");
    expect([...map]).toEqual([
      ["a", { n: 2 }],
      ["b", { n: 3 }],
    ]);
    expect([...keptMap(store, "notes", KEYS)]).toEqual([...map]);
  });

  it("knows nothing of other maps, nor of keys that are gone", () => {
    const store = settings();
    keptMap<number>(store, "one", KEYS).set("a", 1);
    expect([...keptMap(store, "two", KEYS)]).toEqual([]);
    expect([...keptMap(store, "one", ["b"])]).toEqual([]);
  });
});
