import type { RolloutView } from "../../../shared/contracts/rollout.ts";
import { isoTime } from "../../../shared/time.ts";
import { acceptedOf, type RolloutState, racksOf, refusedOf } from "./state.ts";

/** A rollout as API, command line and dashboard show it. */
export function rolloutView(
  rollout: RolloutState,
  online: (rack_id: string) => boolean,
  soak_s: number,
): RolloutView {
  const racks = racksOf(rollout);
  const open = racks.filter((rack_id) => rollout.answers[rack_id] === undefined);
  const at = (ms: number | null) => (ms === null ? null : isoTime(ms));
  return {
    id: rollout.id,
    model_id: rollout.model.model_id,
    sha256: rollout.model.sha256,
    previous_id: rollout.base?.model_id ?? null,
    gated: rollout.gated,
    state: rollout.state,
    by: rollout.by,
    reason: rollout.reason,
    started_at: isoTime(rollout.started_ms),
    ended_at: at(rollout.ended_ms),
    waves: rollout.waves.map(({ racks: of_wave, state, offered_ms, soaking_ms }) => ({
      ...{ racks: of_wave, state, started_at: at(offered_ms) },
      soaks_until: soaking_ms === null ? null : isoTime(soaking_ms + soak_s * 1000),
    })),
    racks: {
      total: racks.length,
      accepted: acceptedOf(rollout, racks),
      refused: refusedOf(rollout, racks).map((rack_id) => ({
        rack_id,
        errors: rollout.answers[rack_id]!.errors,
      })),
      waiting: open.filter(online),
      offline: open.filter((rack_id) => !online(rack_id)),
    },
    gates: rollout.gates,
    story: rollout.story.map(({ ts_ms, text }) => ({ ts: isoTime(ts_ms), text })),
  };
}
