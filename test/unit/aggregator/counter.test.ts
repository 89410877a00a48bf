import { expect, it } from "vitest";
import { messageCounter } from "../../../aggregator/commands/counter.ts";

function memorySettings() {
  const values = new Map<string, unknown>();
  return {
    get: (key: string) => values.get(key),
    put: (key: string, value: unknown) => void values.set(key, value),
  };
}

it("message counters rise strictly: within a millisecond, over a restart, after a clock that was set back", () => {
  const settings = memorySettings();
  let wall_ms = 1_000;
  const first = messageCounter(settings, () => wall_ms);
  expect([first.next(), first.next(), first.next()]).toEqual([1_000, 1_001, 1_002]);
  wall_ms = 500;
  const restarted = messageCounter(settings, () => wall_ms);
  expect(restarted.next()).toBe(1_003);
  restarted.observe(5_000);
  restarted.observe(2_000);
  expect(restarted.next()).toBe(5_001);
});
