import { describe, expect, it } from "vitest";
import { isoTime, pace, systemClock, virtualClock, wallFollower } from "../../../shared/time.ts";

describe("the virtual clock", () => {
  it("runs tasks in the order of their due times, and only while it is advanced", () => {
    const clock = virtualClock(1_000);
    const log: string[] = [];
    clock.every(20, () => log.push(`every@${clock.now()}`));
    clock.after(30, () => log.push(`after@${clock.now()}`));
    clock.advance(45);
    expect(log).toEqual(["every@1020", "after@1030", "every@1040"]);
    expect(clock.now()).toBe(1_045);
  });

  it("lets a task cancel and add others", () => {
    const clock = virtualClock();
    let ticks = 0;
    let afters = 0;
    const stop = clock.every(10, () => {
      if (++ticks === 2) stop();
      clock.after(1, () => afters++);
    });
    clock.advance(100);
    expect({ ticks, afters }).toEqual({ ticks: 2, afters: 2 });
  });
});

describe("the system clock", () => {
  it("can run faster than real time", async () => {
    const clock = systemClock(1_000, 0);
    await new Promise<void>((resolve) => clock.after(20_000, resolve));
    expect(clock.now()).toBeGreaterThan(18_000);
  });

  it("merges late ticks instead of queueing them", async () => {
    const clock = systemClock();
    let ticks = 0;
    const stop = clock.every(5, () => ticks++);
    const blocked_until = performance.now() + 100;
    while (performance.now() < blocked_until);
    await new Promise((resolve) => setTimeout(resolve, 1));
    stop();
    expect(ticks).toBeLessThanOrEqual(2);
  });
});

describe("wall time", () => {
  it("follows a wall clock that is set, also for instants before it was, and ignores what is within a second", () => {
    let now_ms = 1_000;
    let set_ms = 0;
    const wall = wallFollower(
      () => now_ms,
      () => now_ms + set_ms,
    );
    expect(wall(900)).toBe(900);
    set_ms = 800;
    expect(wall(1_000)).toBe(1_000);
    set_ms = -3_600_000;
    now_ms = 2_000;
    expect([wall(1_000), wall(2_000)]).toEqual([1_000 - 3_600_000, 2_000 - 3_600_000]);
  });

  it("is the clock's own where time is simulated", () => {
    expect(virtualClock(5).wall(7)).toBe(7);
    expect(systemClock(10, 0).wall(7)).toBe(7);
  });

  it("is the system's where it is not", () => {
    const clock = systemClock(1, 0);
    expect(Math.abs(clock.wall(clock.now()) - Date.now())).toBeLessThan(1_000);
  });
});

describe("a paced virtual clock", () => {
  it("follows real time at its speed and makes up for every tick of a stall", async () => {
    const clock = virtualClock();
    const ticks: number[] = [];
    clock.every(1_000, () => ticks.push(clock.now()));
    const stop = pace(clock, 200);
    const blocked_until = performance.now() + 50;
    while (performance.now() < blocked_until);
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop();
    expect(ticks.length).toBeGreaterThan(20);
    expect(ticks).toEqual(ticks.map((_, i) => (i + 1) * 1_000));
  });
});

it("writes instants as ISO 8601 in UTC", () => {
  expect(isoTime(0)).toBe("1970-01-01T00:00:00.000Z");
});
