import { expect, it } from "vitest";
import { silence } from "../../../../aggregator/dashboard/src/data/silence.ts";

it("five seconds without a message are too many; any message starts them anew", () => {
  const quiet = silence(5);
  const ticks = (n: number) => Array.from({ length: n }, () => quiet.tick());
  expect(ticks(4)).toEqual([false, false, false, false]);
  quiet.heard();
  expect(ticks(5)).toEqual([false, false, false, false, true]);
});

it("a page that slept has one late tick, not the hours, and hears what waited before the next", () => {
  const quiet = silence(5);
  quiet.heard();
  expect(quiet.tick()).toBe(false);
  quiet.heard();
  expect(quiet.tick()).toBe(false);
});
