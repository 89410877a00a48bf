import { randomUUID } from "node:crypto";
import type { Overview, RackSummary } from "../../shared/contracts/overview.ts";
import { systemClock } from "../../shared/time.ts";

export interface OverviewFeed {
  /** Returns the function that ends the subscription. */
  subscribe(send: (message: string) => void): () => void;
  close(): void;
}

/** What a person can follow; also of a site that is simulated faster than real time. */
const PERIOD_MS = 1_000;

/**
 * The site's figures once a second, with the racks that changed since the second before: made once, however many
 * pages look on, and not at all while nobody does. A listener takes the whole overview from `GET /state/overview`
 * once it is subscribed.
 */
export function overviewFeed(read: () => Overview): OverviewFeed {
  const clock = systemClock();
  const listeners = new Set<(message: string) => void>();
  const seen = new Map<string, string>();
  let stop: (() => void) | null = null;
  const tick = () => {
    const overview = read();
    // Without the shares of D², which are most of a rack: whoever looks at one rack asks for them.
    const rack_list = overview.rack_list
      .filter((rack) => isNews(seen, rack))
      .map((rack) => ({ ...rack, contributions: [] }));
    const { ts } = overview;
    const data = { ...overview, rack_list };
    const message = JSON.stringify({ id: randomUUID(), ts, type: "overview", rack_id: null, data });
    for (const send of listeners) send(message);
  };
  const rest = () => {
    stop?.();
    stop = null;
    seen.clear();
  };
  return {
    subscribe(send) {
      listeners.add(send);
      stop ??= clock.every(PERIOD_MS, tick);
      return () => {
        listeners.delete(send);
        if (listeners.size === 0) rest();
      };
    },
    close() {
      listeners.clear();
      rest();
    },
  };
}

/** Whether the rack differs from when it was last sent; remembers it. */
function isNews(seen: Map<string, string>, rack: RackSummary): boolean {
  const { ts, d, state, mms_ema, online, agent_online, mode, agent_model_id } = rack;
  const mark = [ts, d, state, mms_ema, online, agent_online, mode, agent_model_id].join();
  if (seen.get(rack.rack_id) === mark) return false;
  seen.set(rack.rack_id, mark);
  return true;
}
