import type { MmsState } from "../../shared/contracts/score.ts";
import type { SequentialTest } from "./sequential.ts";

/** The MMS filter of one rack: a smoothed D and how long it has been on one side of a threshold. */
export interface MmsFilter {
  state: MmsState;
  /** NaN-free; the first D starts it. */
  ema: number;
  /** Consecutive ticks with EMA > tau_persist. */
  above: number;
  /** Consecutive ticks with EMA < tau_fast. */
  below: number;
  /** Of the likelihood-ratio mode, which then decides on `state`. */
  test?: SequentialTest;
}

export interface MmsSettings {
  ema_alpha: number;
  /** Consecutive ticks that change the state. */
  ticks: number;
}

/**
 * One tick of the floor filter (design §4): exponential smoothing, then hysteresis. `ticks` consecutive EMAs above
 * tau_persist make the rack persistent; `ticks` consecutive EMAs below tau_fast bring it back to transient.
 */
export function nextFilter(
  before: MmsFilter | null,
  score: { d: number; tau_fast: number; tau_persist: number },
  settings: MmsSettings,
): MmsFilter {
  const ema = before ? settings.ema_alpha * score.d + (1 - settings.ema_alpha) * before.ema : score.d;
  const above = ema > score.tau_persist ? (before?.above ?? 0) + 1 : 0;
  const below = ema < score.tau_fast ? (before?.below ?? 0) + 1 : 0;
  return { state: nextState(before?.state ?? "transient", above, below, settings.ticks), ema, above, below };
}

function nextState(state: MmsState, above: number, below: number, ticks: number): MmsState {
  if (state === "transient" && above >= ticks) return "persistent";
  if (state === "persistent" && below >= ticks) return "transient";
  return state;
}

/** How a rack is shown: MMS first, then where D lies. A rack that recovers is still shown as persistent. */
export type RackCondition = "nominal" | "transient" | "persistent" | "unknown";

export function conditionOf(
  filter: MmsFilter | null,
  score: { d: number; tau_fast: number } | null,
): RackCondition {
  if (filter?.state === "persistent") return "persistent";
  if (!score) return "unknown";
  return score.d >= score.tau_fast ? "transient" : "nominal";
}
