import type { Mode } from "../../shared/contracts/action.ts";
import type { ModeChange, ModeScope } from "../../shared/contracts/event.ts";
import { rowOf } from "../../shared/contracts/rack.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Commander } from "../commands/commander.ts";
import type { EventBus } from "../events.ts";
import { agentOnline, type Fleet, type Rack } from "../fleet.ts";
import type { Store } from "../store/store.ts";

/** Exceptions from the site's mode. */
interface ModeOverrides {
  rows: Record<string, Mode>;
  racks: Record<string, Mode>;
}

export interface ModeState {
  /** Of the site, where no override says otherwise. */
  mode: Mode;
  /** While on, nothing is driven from here, whatever the mode. */
  kill_switch: boolean;
  overrides: ModeOverrides;
}

/** The most specific mode wins: rack, row, site. The kill switch wins over them all. */
export function modeOf(state: ModeState, rack_id: string | null): Mode {
  if (state.kill_switch) return "advisory";
  if (rack_id === null) return state.mode;
  const { racks, rows } = state.overrides;
  return racks[rack_id] ?? rows[rowOf(rack_id)] ?? state.mode;
}

export interface ModeControl {
  get(): ModeState;
  /** What a rack's agent acts on and reports; null is the site's own target. */
  of(rack_id: string | null): Mode;
  /**
   * Keeps the new state (on the disk before it returns, even if the power fails then) and tells the agents concerned.
   * Where it cannot be kept, it throws: then what stops something is in force and told all the same, anything else is not.
   *
   * @throws SKADI_UNKNOWN_RACK or SKADI_INVALID_FIELD for a scope that is no part of the site
   */
  set(change: ModeChange): ModeState;
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
  const { store, fleet } = context;
  // Overrides came later than the setting: an older database has none.
  const stored = store.settings.get(SETTING) as Partial<ModeState> | undefined;
  let state: ModeState = {
    mode: context.initial,
    kill_switch: false,
    overrides: { rows: {}, racks: {} },
    ...stored,
  };
  const tell = (rack: Rack) => {
    const mode = modeOf({ ...state, kill_switch: false }, rack.rack_id);
    const { kill_switch } = state;
    context.commander.send(rack.rack_id, { kind: "set_mode", mode, kill_switch });
  };
  return {
    get: () => state,
    of: (rack_id) => modeOf(state, rack_id),
    set(change) {
      const concerned = racksOf(fleet, change.scope);
      const before = state;
      const stops = stopsDriving(change);
      const tellAll = () => {
        for (const rack of concerned) if (agentOnline(rack)) tell(rack);
      };
      state = changed(state, change);
      // A disk that is full or hangs must not stand between the kill switch and the agents.
      if (stops) tellAll();
      store.settings.put(SETTING, state);
      try {
        // A host that comes back without the kill switch would lift it.
        store.flush({ durable: true });
      } catch (error) {
        if (!stops) {
          state = before;
          store.settings.put(SETTING, before);
        }
        throw error;
      }
      const { scope } = change;
      // The state alone is the site's: it does not tell what became of one row.
      const told = { ...state, changed: change };
      context.events.publish("mode", scope && "rack_id" in scope ? scope.rack_id : null, told);
      if (!stops) tellAll();
      return state;
    },
    tell,
  };
}

/** Whether nothing is driven after a change that was not before. */
const stopsDriving = ({ mode, kill_switch }: ModeChange): boolean =>
  kill_switch === true || (mode === "advisory" && kill_switch === undefined);

function changed(state: ModeState, { mode, kill_switch, scope }: ModeChange): ModeState {
  const next = { ...state, ...(kill_switch === undefined ? {} : { kill_switch }) };
  if (mode === undefined) return next;
  if (!scope) return mode === null ? next : { ...next, mode };
  const { rows, racks } = state.overrides;
  const overrides =
    "row" in scope
      ? { rows: withOverride(rows, scope.row, mode), racks }
      : { rows, racks: withOverride(racks, scope.rack_id, mode) };
  return { ...next, overrides };
}

function withOverride(modes: Record<string, Mode>, name: string, mode: Mode | null): Record<string, Mode> {
  const { [name]: _, ...others } = modes;
  return mode === null ? others : { ...others, [name]: mode };
}

function racksOf(fleet: Fleet, scope: ModeScope | undefined): readonly Rack[] {
  if (!scope) return fleet.racks;
  if ("rack_id" in scope) {
    const rack = fleet.get(scope.rack_id);
    if (rack) return [rack];
    throw skadiError("SKADI_UNKNOWN_RACK", { field: "scope.rack_id", value: scope.rack_id });
  }
  const racks = fleet.racks.filter((rack) => rack.row === scope.row);
  if (racks.length > 0) return racks;
  throw skadiError("SKADI_INVALID_FIELD", {
    field: "scope.row",
    value: scope.row,
    expected: `one of ${[...new Set(fleet.racks.map((rack) => rack.row))].join(", ")}`,
  });
}
