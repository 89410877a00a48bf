import { agentOnline, dataAgeMs, type Rack } from "../fleet.ts";

const AGE_MAX_MS = 60_000;

/**
 * In closed loop an agent refuses everybody's setpoints while its guardrail protects the rack. In advisory nothing is
 * driven, and what cools may be advised and approved all the same.
 */
export const isGuarded = (
  rack: { score: { guarded?: true | undefined } | null },
  closed_loop: boolean,
): boolean => closed_loop && rack.score?.guarded === true;

/** Why a rack must not be changed now; null: it may. */
export function heldBecause(rack: Rack, closed_loop: boolean, now_ms: number): string | null {
  if (!rack.sample || dataAgeMs(rack, now_ms) > AGE_MAX_MS) return "stale";
  // Where changes are driven, a rack without a live agent cannot take one.
  if (closed_loop && !agentOnline(rack)) return "offline";
  if (isGuarded(rack, closed_loop)) return "guarded";
  return rack.mms?.state === "persistent" ? "persistent" : null;
}
