import type { Mode } from "../../shared/contracts/action.ts";
import type { ModeAnswer } from "../../shared/contracts/answers.ts";
import type { ModeChange, ModeScope } from "../../shared/contracts/event.ts";

export const modeName = (mode: Mode): string => (mode === "closed_loop" ? "closed loop" : "advisory");

/** Of an event `mode`, whoever shows it: the terminal, the report, the dashboard. */
interface ModeEvent {
  rack_id: string | null;
  /** The state afterwards, and what was changed; events from before that was kept have the state alone. */
  data: Record<string, unknown>;
}

/** `row C: closed loop`: what was changed, and whether the kill switch forbids it all the same. */
export function modeEventText({ rack_id, data }: ModeEvent): string {
  const state = data as Partial<ModeAnswer> & { changed?: ModeChange };
  if (!state.changed && rack_id === null) return stateText(state);
  const { mode, kill_switch, scope } = state.changed ?? rackChange(state, rack_id!);
  const parts: string[] = [];
  if (mode !== undefined) parts.push(changeText(mode, scope));
  if (kill_switch !== undefined)
    parts.push(kill_switch ? KILLED : "kill switch off: what the modes say holds");
  else if (state.kill_switch) parts.push("the kill switch stays on");
  return parts.join("; ");
}

const KILLED = "kill switch on: nothing is driven";

function changeText(mode: Mode | null, scope: ModeScope | undefined): string {
  const is_rack = scope !== undefined && "rack_id" in scope;
  if (mode === null) return `${placeText(scope)} follows ${is_rack ? "its row" : "the site"} again`;
  return `${placeText(scope)}: ${modeName(mode)}`;
}

function placeText(scope: ModeScope | undefined): string {
  if (scope === undefined) return "the site";
  return "row" in scope ? `row ${scope.row}` : `rack ${scope.rack_id}`;
}

/** Only a change of its own mode named a rack. */
function rackChange({ overrides }: Partial<ModeAnswer>, rack_id: string): ModeChange {
  return { mode: overrides?.racks[rack_id] ?? null, scope: { rack_id } };
}

function stateText({ mode, kill_switch, overrides }: Partial<ModeAnswer>): string {
  const own = Object.keys({ ...overrides?.rows, ...overrides?.racks }).length;
  const others = own > 0 ? `; rows and racks of their own mode: ${own}` : "";
  const text = `the site: ${mode ? modeName(mode) : "mode unknown"}${others}`;
  return kill_switch ? `${text}; ${KILLED}` : text;
}
