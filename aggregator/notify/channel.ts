import type { Incident } from "../../shared/contracts/incident.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { isActive } from "../incidents/book.ts";
import { type Notice, noticeOf } from "./message.ts";

/** A way to people. `send` rejects where the message did not arrive; its error must not hold a secret. */
export interface Transport {
  readonly name: string;
  send(notice: Notice): Promise<void>;
  close?(): void;
}

export interface ChannelCounts {
  sent: number;
  /** Attempts that failed, and messages that were given up. */
  failed: number;
  given_up: number;
  waiting: number;
}

export interface Channel {
  readonly name: string;
  /** Never throws, never waits: the message goes out later. A newer word on the same incident replaces the older. */
  offer(incident: Incident): void;
  counts(): ChannelCounts;
  /** What waits or is on its way counts as not sent. */
  stop(): void;
}

export interface ChannelSettings {
  per_hour: number;
  digest_from: number;
  attempts: number;
  retry_s: number;
}

const HOUR_MS = 3_600_000;
const RETRY_MAX_MS = 600_000;
/** Beyond this the incidents that have waited longest are given up: memory stays bounded. */
const WAITING_MAX = 1_000;

/** One channel's queue: rate limit, digest, retries with doubling waits. One message is on its way at a time. */
export function createChannel(context: {
  site: string;
  transport: Transport;
  settings: ChannelSettings;
  clock: Clock;
  log: Log;
  /** What became of a message: the transport took it, or it was given up. Not called after `stop`. */
  onSettled?: (incidents: readonly Incident[], taken: boolean) => void;
}): Channel {
  const { site, transport, settings, clock, log, onSettled } = context;
  const waiting = new Map<string, Incident>();
  const sent_ms: number[] = [];
  const counts = { sent: 0, failed: 0, given_up: 0 };
  let busy = false;
  let stopped = false;
  let cancel: (() => void) | null = null;

  const wake = (delay_ms: number) => {
    cancel?.();
    cancel = clock.after(delay_ms, pump);
  };

  const pump = () => {
    cancel = null;
    if (busy || stopped || waiting.size === 0) return;
    const now_ms = clock.now();
    while (sent_ms.length > 0 && now_ms - sent_ms[0]! >= HOUR_MS) sent_ms.shift();
    if (sent_ms.length >= settings.per_hour) return wake(sent_ms[0]! + HOUR_MS - now_ms);
    const digest = waiting.size >= settings.digest_from || sent_ms.length >= settings.per_hour - 1;
    const batch = digest ? [...waiting.values()] : [waiting.values().next().value!];
    for (const { id } of batch) waiting.delete(id);
    busy = true;
    void attempt(noticeOf(site, batch), 1);
  };

  const settle = (incidents: readonly Incident[], taken: boolean) => {
    if (!taken) counts.given_up += incidents.length;
    if (!stopped) onSettled?.(incidents, taken);
  };

  const attempt = async (notice: Notice, number: number): Promise<void> => {
    try {
      await transport.send(notice);
      counts.sent++;
      sent_ms.push(clock.now());
      settle(notice.incidents, true);
    } catch (error) {
      counts.failed++;
      const reason = error instanceof Error ? error.message : String(error);
      const last = number >= settings.attempts || stopped;
      const details = {
        channel: transport.name,
        attempt: number,
        incidents: notice.incidents.length,
        reason,
      };
      log.warn(details, last ? "notification given up" : "notification failed; will be tried again");
      if (!last) {
        const delay_ms = Math.min(RETRY_MAX_MS, settings.retry_s * 1000 * 2 ** (number - 1));
        cancel = clock.after(delay_ms, () => void attempt(notice, number + 1));
        return;
      }
      settle(notice.incidents, false);
    }
    busy = false;
    if (!stopped) wake(0);
  };

  return {
    name: transport.name,
    offer(incident) {
      if (stopped) return;
      waiting.delete(incident.id);
      waiting.set(incident.id, incident);
      if (waiting.size > WAITING_MAX) {
        const oldest = [...waiting.values()].find((one) => !isActive(one)) ?? waiting.values().next().value!;
        waiting.delete(oldest.id);
        settle([oldest], false);
      }
      if (!busy) wake(0);
    },
    counts: () => ({ ...counts, waiting: waiting.size }),
    stop() {
      stopped = true;
      cancel?.();
      transport.close?.();
    },
  };
}
