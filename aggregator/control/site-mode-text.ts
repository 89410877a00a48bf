import { type ModeState, modeOf } from "./mode.ts";
import { modeName } from "./mode-event-text.ts";

/** Racks whose mode is not the site's, by their own or by their row's; the kill switch does not count. */
export function racksOfOtherMode(
  state: Omit<ModeState, "kill_switch">,
  racks: readonly { rack_id: string }[],
): number {
  const modes = racks.map(({ rack_id }) => modeOf({ ...state, kill_switch: false }, rack_id));
  return modes.filter((mode) => mode !== state.mode).length;
}

/** `advisory; 12 racks in closed loop` */
export function siteModeText(
  state: Omit<ModeState, "kill_switch">,
  racks: readonly { rack_id: string }[],
): string {
  const n = racksOfOtherMode(state, racks);
  const other = modeName(state.mode === "advisory" ? "closed_loop" : "advisory");
  return `${modeName(state.mode)}${n > 0 ? `; ${n} ${n === 1 ? "rack" : "racks"} in ${other}` : ""}`;
}
