import type { RackTarget, Target } from "../../shared/contracts/action.ts";
import type { Actuators } from "../../shared/contracts/config.ts";
import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import type { Scorer } from "../../shared/ims/score.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import { type Candidate, rackCandidates, shiftCandidates, supplyCandidates } from "./candidates.ts";
import { type FullSample, isFull } from "./physics.ts";

/** One rack as the slow loop sees it. */
export interface PlanRack {
  rack_id: string;
  sample: TelemetrySample | null;
  age_ms: number;
  /** Why it must not be changed although its data are fresh; null: it may. */
  held: string | null;
  /** The rack's D, averaged over minutes; null where it was not scored. */
  d_level: number | null;
  /** Setpoints last applied; null where the device controls itself. */
  setpoints: Record<RackTarget, number | null>;
}

export interface PlanState {
  racks: readonly PlanRack[];
  kill_switch: boolean;
  scorer: Scorer | null;
  /** When a device was last changed; −∞ if never. */
  changedMs(rack_id: string | null, target: Target): number;
  /** Whether a change of this device was taken back so recently that it should not be tried again. */
  resting(rack_id: string | null, target: Target, clock_ms: number): boolean;
}

export interface PlanConfig {
  limits: Limits;
  actuators: Actuators;
  interval_s: number;
  latency_guard_share: number;
}

export interface Prediction {
  inlet_c: number;
  latency_p95_ms: number;
  d: number;
  /** Growth of the rack's own power that the change is worth, such as faster fans for a cooler inlet. */
  power_rise_kw?: number;
}

export interface Proposal {
  /** null: the whole site. */
  rack_id: string | null;
  target: Target;
  from: number | null;
  to: number;
  predicted_saving_kw: number;
  predicted: Prediction;
  reason: string;
}

type SkipReason = "kill_switch" | "no_model" | "no_fresh_data" | null;

export interface Plan {
  /** Why nothing was considered; null if candidates were. */
  skipped: SkipReason;
  proposals: Proposal[];
  /** Racks that were left out, and candidates that were predicted to break something, by reason. */
  rejected: Record<string, number>;
}

/** A minute-old picture is no ground for a decision. */
const AGE_MAX_MS = 60_000;
/** So that a wrong belief about the physics is seen, and rolled back, before it reaches the whole site. */
const PROPOSALS_MAX = 12;
/** Cooling is not reduced where an inlet is, or would come, this close to its limit. */
const INLET_MARGIN_C = 1;
/**
 * A change may not bring the average D above this share of tau_fast: the smoothed D of MMS scatters around it, and
 * what the model has not seen as nominal would soon be called persistent.
 */
const DEVIATION_SHARE_MAX = 0.95;
const COOLING: readonly Target[] = ["fan_rpm_pct", "pump_rpm_pct", "supply_c"];
/** Traffic is moved away from the racks that need the most energy per token, this many of them at a time. */
const DONORS_MAX = 3;

export type ReadyRack = PlanRack & { sample: FullSample & TelemetrySample };

/** The slow loop's floor (design §4): one best change per rack and one for the site, each checked by prediction. */
export function plan(state: PlanState, config: PlanConfig, clock_ms: number): Plan {
  const rejected: Record<string, number> = {};
  const skip = (skipped: SkipReason): Plan => ({ skipped, proposals: [], rejected });
  const { scorer } = state;
  const skipped = skipReason(state);
  if (skipped || !scorer) return skip(skipped);
  const ready = state.racks.filter(isReady);

  const d_levels = new Map<FullSample, number | null>(ready.map((rack) => [rack.sample, rack.d_level]));
  const deviation: DeviationForecast = ({ before, after }) => {
    const level = d_levels.get(before) ?? scorer.score(toFeatures(before)).d;
    return level + scorer.riseAtMost(toFeatures(before), toFeatures(after));
  };
  const refuse = (reason: string) => {
    rejected[reason] = (rejected[reason] ?? 0) + 1;
  };
  const open = (rack_id: string | null, target: Target) => {
    if (state.resting(rack_id, target, clock_ms)) return false;
    const since_ms = clock_ms - state.changedMs(rack_id, target);
    // A change in the future was made by a clock that ran ahead (an accelerated simulation); it says nothing.
    return since_ms < 0 || since_ms >= config.interval_s * 1000;
  };
  const acceptable = (candidate: Candidate) => {
    const broken = open(candidate.rack_id, candidate.target)
      ? firstBroken(candidate, deviation, scorer.model.tau_fast, config)
      : "changed_recently";
    if (broken) refuse(broken);
    return broken === null;
  };
  const best = (candidates: readonly Candidate[]) =>
    candidates.filter(acceptable).sort((a, b) => b.saving_kw - a.saving_kw)[0];

  const latency_guard_ms = config.latency_guard_share * config.limits.latency_p95_ms;
  const calm = ready.filter((rack) => {
    const reason = rack.held ?? (rack.sample.latency_p95_ms > latency_guard_ms ? "latency" : null);
    if (reason) refuse(`rack_${reason}`);
    return reason === null;
  });
  const donors = calm.toSorted((a, b) => joulesPerToken(b) - joulesPerToken(a)).slice(0, DONORS_MAX);
  const choices = calm
    .map((rack) => {
      const shifts = donors.includes(rack) ? shiftCandidates(rack, calm, config.actuators) : [];
      return best([...rackCandidates(rack, config.actuators), ...shifts]);
    })
    .filter((candidate) => candidate !== undefined)
    .sort((a, b) => b.saving_kw - a.saving_kw)
    .slice(0, PROPOSALS_MAX);
  // The whole site breathes the same air: one rack in trouble, or unseen, is reason enough to leave it alone.
  const supply = calm.length === state.racks.length ? best(supplyCandidates(calm)) : undefined;
  const chosen = supply ? [supply, ...choices] : choices;
  return { skipped: null, proposals: chosen.map((candidate) => toProposal(candidate, deviation)), rejected };
}

/** Why no policy may act; null: one may. */
export function skipReason(state: PlanState): SkipReason {
  if (state.kill_switch) return "kill_switch";
  if (!state.scorer) return "no_model";
  return state.racks.some(isReady) ? null : "no_fresh_data";
}

function isReady(rack: PlanRack): rack is ReadyRack {
  return rack.sample !== null && rack.age_ms <= AGE_MAX_MS && isFull(rack.sample);
}

const joulesPerToken = (rack: ReadyRack) => (1000 * rack.sample.pdu_kw) / Math.max(1, rack.sample.tokens_ps);

/**
 * Where a rack's average D will be at most after a change. Re-scoring the last sample instead would prefer the racks
 * whose sample happened to be low, and small steps would add up unseen.
 */
type DeviationForecast = (effect: Candidate["effects"][number]) => number;

/** The first thing that a candidate is predicted to break, or null. */
function firstBroken(
  candidate: Candidate,
  deviation: DeviationForecast,
  tau_fast: number,
  config: PlanConfig,
): string | null {
  if (candidate.saving_kw <= 0) return "no_saving";
  for (const effect of candidate.effects) {
    const { after } = effect;
    if (COOLING.includes(candidate.target) && after.inlet_c > config.limits.inlet_c - INLET_MARGIN_C)
      return "inlet";
    if (after.latency_p95_ms > config.latency_guard_share * config.limits.latency_p95_ms) return "latency";
    if (deviation(effect) >= DEVIATION_SHARE_MAX * tau_fast) return "deviation";
  }
  return null;
}

function toProposal(candidate: Candidate, deviation: DeviationForecast): Proposal {
  const after = candidate.effects.map((effect) => effect.after);
  const max = (pick: (sample: FullSample) => number) => Math.max(...after.map(pick));
  return {
    rack_id: candidate.rack_id,
    target: candidate.target,
    from: candidate.from,
    to: candidate.to,
    predicted_saving_kw: candidate.saving_kw,
    predicted: {
      inlet_c: max((sample) => sample.inlet_c),
      latency_p95_ms: max((sample) => sample.latency_p95_ms),
      d: Math.max(...candidate.effects.map(deviation)),
    },
    reason: candidate.reason,
  };
}
