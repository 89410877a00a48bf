import type { Mode } from "../../shared/contracts/action.ts";
import type { Commander } from "../commands/commander.ts";
import type { EventBus } from "../events.ts";
import { agentOnline, type Fleet, type Rack } from "../fleet.ts";
import type { Store } from "../store/store.ts";

export interface ModeState {
  mode: Mode;
  /** While on, nothing is driven from here, whatever the mode. */
  kill_switch: boolean;
}

/** What agents act on, and report as their mode. */
export const effectiveMode = (state: ModeState): Mode => (state.kill_switch ? "advisory" : state.mode);

export interface ModeControl {
  get(): ModeState;
  /** Keeps the new state (on disk before it returns) and tells every agent. */
  set(change: Partial<ModeState>): ModeState;
  /** Tells one agent, which just came online. */
  tell(rack: Rack): void;
}

const SETTING = "mode";

interface ModeContext {
  initial: Mode;
  store: Store;
  events: EventBus;
  commander: Commander;
  fleet: Fleet;
}

export function modeControl(context: ModeContext): ModeControl {
  const stored = context.store.settings.get(SETTING) as ModeState | undefined;
  let state: ModeState = stored ?? { mode: context.initial, kill_switch: false };
  const tell = (rack: Rack) => context.commander.send(rack.rack_id, { kind: "set_mode", ...state });
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change };
      context.store.settings.put(SETTING, state);
      context.store.flush();
      context.events.publish("mode", null, { ...state });
      for (const rack of context.fleet.racks) if (agentOnline(rack)) tell(rack);
      return state;
    },
    tell,
  };
}
