import type { Score } from "../../shared/contracts/score.ts";
import type { Commander } from "../commands/commander.ts";
import type { EventBus } from "../events.ts";
import type { Rack } from "../fleet.ts";
import { type MmsFilter, type MmsSettings, nextFilter } from "./filter.ts";

export interface Mms {
  /** Feeds one in-order score of the rack; a change of state is announced to the world and to the rack's agent. */
  feed(rack: Rack, score: Score): MmsFilter;
}

export function createMms(context: { settings: MmsSettings; events: EventBus; commander: Commander }): Mms {
  return {
    feed(rack, score) {
      const before = rack.mms;
      const after = nextFilter(before, score, context.settings);
      rack.mms = after;
      if (after.state !== (before?.state ?? "transient")) {
        const { d, tau_fast, tau_persist } = score;
        context.events.publish("mms", rack.rack_id, {
          state: after.state,
          ema: after.ema,
          d,
          tau_fast,
          tau_persist,
        });
        context.commander.send(rack.rack_id, { kind: "mms_state", state: after.state });
      }
      return after;
    },
  };
}
