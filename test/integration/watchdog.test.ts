import { describe, expect, it } from "vitest";
import { noWatchdog, systemdWatchdog } from "../../agent/watchdog.ts";
import { createLog } from "../../shared/log.ts";
import { virtualClock } from "../../shared/time.ts";
import { datagramSocket } from "../support/datagrams.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";

const log = createLog("test", "silent");
const TICK_MS = 5_000;

function watchdogOf(env: NodeJS.ProcessEnv) {
  const clock = virtualClock();
  const { PATH } = process.env;
  const watchdog = systemdWatchdog({ env: { PATH, ...env }, pid: 4711, tick_ms: TICK_MS, clock, log });
  const tick = (status = "advisory, none") => {
    clock.advance(TICK_MS);
    watchdog.alive(status);
  };
  return { watchdog, tick };
}

describe.skipIf(!hasProgram("systemd-notify") || !hasProgram("python3"))("under systemd, the agent", () => {
  it("tells that it is ready, that its guard loop moves, and that it is leaving", async () => {
    const { path, heard } = await datagramSocket();
    const { watchdog, tick } = watchdogOf({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "30000000" });
    watchdog.ready("advisory, starting");
    await eventually("ready", () => heard().includes("READY=1 STATUS=advisory, starting"));
    tick();
    await eventually("the new status", () => heard().includes("STATUS=advisory, none"));
    const pings = () => heard().filter((line) => line.startsWith("WATCHDOG=1"));
    expect(pings()).toEqual([]);
    tick();
    tick();
    await eventually("a ping by half of the 30 s", () => pings().length === 1);
    for (let i = 0; i < 6; i++) tick();
    await eventually("one for every 15 s since", () => pings().length === 3);
    await watchdog.stopping();
    expect(heard()).toContain("STOPPING=1");
  });

  it("does not ping for a loop that does not tick, nor for a watchdog of another process", async () => {
    const { path, heard } = await datagramSocket();
    const stuck = watchdogOf({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "10000000" });
    const foreign = watchdogOf({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "10000000", WATCHDOG_PID: "1" });
    stuck.watchdog.ready("stuck");
    for (let i = 0; i < 5; i++) foreign.tick("foreign");
    await foreign.watchdog.stopping();
    await eventually("the rest", () => heard().some((line) => line.includes("STATUS=stuck")));
    expect(heard().filter((line) => line.includes("WATCHDOG"))).toEqual([]);
  });
});

describe("without systemd, the agent", () => {
  it("tells nobody", () => {
    expect(watchdogOf({}).watchdog).toBe(noWatchdog);
  });

  it("guards on where systemd cannot be told", async () => {
    const { watchdog, tick } = watchdogOf({ NOTIFY_SOCKET: "/nowhere", WATCHDOG_USEC: "10000000" });
    watchdog.ready("unheard");
    tick();
    await expect(watchdog.stopping()).resolves.toBeUndefined();
  });
});
