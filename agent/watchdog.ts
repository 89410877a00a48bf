import { execFile } from "node:child_process";
import type { Log } from "../shared/log.ts";
import type { Clock } from "../shared/time.ts";

/** Whom the agent tells that it is up, that its guard loop moves, and that it is leaving. */
export interface Watchdog {
  ready(status: string): void;
  /** Called by every guard tick when it is done, and by nothing else: a loop that is stuck falls silent. */
  alive(status: string): void;
  /** Resolves when it is told, or could not be. */
  stopping(): Promise<void>;
}

export const noWatchdog: Watchdog = { ready: () => {}, alive: () => {}, stopping: async () => {} };

/** systemd-notify waits for systemd to take the message, which a busy machine may delay. */
const NOTIFY_TIMEOUT_MS = 10_000;

/**
 * Speaks systemd's notification protocol (sd_notify(3)) by its own program, since Node has no datagram sockets of the
 * Unix domain. The service therefore needs `NotifyAccess=all`. Not run by systemd: does nothing.
 *
 * @param tick_ms the time between two calls of `alive`
 */
export function systemdWatchdog(options: {
  env: NodeJS.ProcessEnv;
  pid: number;
  tick_ms: number;
  clock: Clock;
  log: Log;
}): Watchdog {
  const { env, tick_ms, clock, log } = options;
  if (!env.NOTIFY_SOCKET) return noWatchdog;
  const ping_ms = pingInterval(env, options.pid);
  if (ping_ms !== null && ping_ms < tick_ms) {
    log.warn({ event: "watchdog_too_short", expected: `WatchdogSec of at least ${(2 * tick_ms) / 1000} s` });
  }
  let pinged_ms = clock.now();
  let told = "";
  let complained = false;

  const notify = (...assignments: string[]) =>
    new Promise<void>((resolve) => {
      const settings = { env, timeout: NOTIFY_TIMEOUT_MS, killSignal: "SIGKILL" } as const;
      execFile("systemd-notify", assignments, settings, (error) => {
        // Once: systemd will do what it has to do, and the rack is guarded meanwhile.
        if (error && !complained) log.error({ event: "watchdog_failed", assignments, err: error });
        complained = error !== null;
        resolve();
      });
    });
  return {
    ready(status) {
      told = status;
      void notify("READY=1", `STATUS=${status}`);
    },
    alive(status) {
      const now_ms = clock.now();
      const news = status === told ? [] : [`STATUS=${status}`];
      // The ping that cannot wait for the next tick.
      const due = ping_ms !== null && now_ms - pinged_ms + tick_ms > ping_ms;
      if (due) pinged_ms = now_ms;
      told = status;
      const assignments = [...(due ? ["WATCHDOG=1"] : []), ...news];
      if (assignments.length > 0) void notify(...assignments);
    },
    stopping: () => notify("STOPPING=1"),
  };
}

/** Half of the time after which systemd loses patience (sd_watchdog_enabled(3)); null: it does not watch us. */
function pingInterval(env: NodeJS.ProcessEnv, pid: number): number | null {
  const { WATCHDOG_USEC, WATCHDOG_PID } = env;
  if (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== pid) return null;
  const usec = Number(WATCHDOG_USEC);
  return WATCHDOG_USEC !== undefined && usec > 0 ? usec / 2_000 : null;
}
