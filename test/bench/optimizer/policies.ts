import type { Solver } from "../../../aggregator/optimizer/lp.ts";
import { type PlanRack, plan } from "../../../aggregator/optimizer/plan.ts";
import { planningConfig, planPredictive, siteTrouble } from "../../../aggregator/optimizer/predictive.ts";
import { createSiteObserver, type PredictionQuality } from "../../../aggregator/optimizer/site-observer.ts";
import type { RackTarget } from "../../../shared/contracts/action.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import type { Scorer } from "../../../shared/ims/score.ts";
import { RACKS } from "../fault-schedule.ts";
import { type Hall, type HallRack, type Policy, READ_SECONDS } from "./hall.ts";
import { type HallTrials, hallTrials } from "./hall-trials.ts";
import { createOracle, type OracleLimits } from "./oracle.ts";

const config = AggregatorConfig.parse({});
const { limits, actuators, optimizer } = config;
const { supply: SUPPLY } = optimizer;
export const PLANNING = { ...planningConfig(config), readings_per_sample: READ_SECONDS.length };

export const POLICIES = ["fixed", "described", "ours", "oracle"] as const;
/** Other operations without an optimizer, for comparison on one seed. */
export const REFERENCES = ["automatic", "fixed_for_peak"] as const;
export type PolicyName = (typeof POLICIES)[number] | (typeof REFERENCES)[number];

const INTERVAL_MS = optimizer.interval_s * 1000;

/** The middle of the described nominal profile (design §4: fan 55–75 %, pump 50–65 %), the plant's own supply air. */
export const FIXED = { fan_rpm_pct: 65, pump_rpm_pct: 57.5 } as const;

/** The middle of the described high-load profile: what a hall needs whose setpoints nobody changes for the day's peak. */
export const FIXED_FOR_PEAK = { fan_rpm_pct: 80, pump_rpm_pct: 70 } as const;

export const fixedPolicy = (rest: Policy["rest"] = FIXED): Policy => ({ rest });

/** The racks' own curves, the supply fixed. */
export const automaticPolicy = (): Policy => ({});

/** The described candidates, each judged and watched on by the aggregator's own trials. */
export function describedPolicy(hall: Hall, scorer: Scorer, trials = hallTrials(hall, scorer)): Policy {
  return {
    onSample: trials.onSample,
    tick() {
      const now_ms = hall.now_ms();
      trials.settle();
      const { proposals } = plan(
        {
          racks: hall.racks.map((rack) => planRack(rack, now_ms)),
          kill_switch: false,
          scorer,
          changedMs: (rack_id, target) =>
            target === "supply_c" || rack_id === null
              ? hall.supply_changed_ms
              : hall.racks[RACKS.indexOf(rack_id)]!.changed_ms[target],
          resting: trials.resting,
        },
        { limits, actuators, ...optimizer },
        now_ms,
      );
      // The floor only advises a supply setpoint: it does not know the present one.
      for (const proposal of proposals) if (proposal.target !== "supply_c") trials.begin(proposal);
    },
  };
}

/** Ours, through the aggregator's own planner. */
export function predictivePolicy(
  hall: Hall,
  scorer: Scorer,
  solve: Solver,
  report: (quality: PredictionQuality, notes: Notes) => void,
): Policy {
  const observer = createSiteObserver(RACKS, config);
  const trials = hallTrials(hall, scorer);
  const fallback = describedPolicy(hall, scorer, trials);
  const notes: Notes = { fallback_ticks: 0, ticks: 0, infeasible_ticks: 0, rejected: {} };
  return {
    onSample(i, sample, h) {
      observer.observe(RACKS[i]!, sample, h.now_ms(), h.racks[i]!.setpoints);
      trials.onSample(i, sample);
    },
    tick(h) {
      const now_ms = h.now_ms();
      notes.ticks++;
      if (siteTrouble(RACKS.map((rack_id) => observer.rack(rack_id, now_ms)!))) {
        notes.fallback_ticks++;
        return fallback.tick?.(h);
      }
      trials.settle();
      const made = planPredictive(
        {
          racks: h.racks.map((rack) => ({
            ...observer.rack(rack.rack_id, now_ms)!,
            held: heldBecause(rack, now_ms),
            setpoints: rack.setpoints,
            d_level: rack.d_slow,
          })),
          supply: { setpoint_c: observer.supply_setpoint_c, open: true },
          scorer,
          open: (rack_id, target) =>
            now_ms - h.racks[RACKS.indexOf(rack_id)]!.changed_ms[target] >= INTERVAL_MS &&
            !trials.resting(rack_id, target),
        },
        PLANNING,
        solve,
      );
      if (made.explanations.length > 0) notes.infeasible_ticks++;
      for (const [reason, count] of Object.entries(made.rejected))
        notes.rejected[reason] = (notes.rejected[reason] ?? 0) + count;
      for (const proposal of made.proposals) {
        if (proposal.target !== "supply_c") {
          trials.begin(proposal);
          continue;
        }
        h.setSupply(proposal.to);
        observer.supply(proposal.to, now_ms);
      }
      report(observer.quality(), { ...notes, ...trials.notes() });
    },
  };
}

export interface Notes extends Partial<ReturnType<HallTrials["notes"]>> {
  ticks: number;
  fallback_ticks: number;
  infeasible_ticks: number;
  rejected: Record<string, number>;
}

function heldBecause(rack: HallRack, now_ms: number): string | null {
  if (!rack.sample || now_ms - rack.sample_ms > 60_000) return "stale";
  if (rack.guarded) return "guarded";
  return rack.mms?.state === "persistent" ? "persistent" : null;
}

/**
 * What noise forces on everyone: a reading (1.2 °C of noise) at 28 °C sets the guardrail off, and bursts have a tail.
 */
export const MARGINS = { inlet_max_c: 22.9, latency_max_ms: 190 } as const;

/** Knows the plant's equations, every constant, every fault and the true load. */
export function oraclePolicy(hall: Hall, seed: number, oracle_limits: Partial<OracleLimits> = {}): Policy {
  const oracle = createOracle(seed, RACKS, {
    ...MARGINS,
    supply: SUPPLY,
    fan: actuators.fan_rpm_pct,
    pump: actuators.pump_rpm_pct,
    batch: actuators.batch_window_ms,
    ...oracle_limits,
  });
  return {
    tick() {
      const truths = RACKS.map((rack_id) => hall.plant.truth(rack_id));
      oracle.know(hall.active_faults());
      const { supply_c, sets } = oracle.plan(
        truths.map((truth) => truth.assigned_tokens_ps),
        truths.map((truth) => truth.outlet_c),
        [-4, -2, -1, -0.25, 0, 0.25, SUPPLY.step_max],
      );
      if (Math.abs(supply_c - hall.supply_c) > 0.05) hall.setSupply(supply_c);
      for (const [i, set] of sets.entries()) {
        for (const [target, value] of Object.entries(set) as [RackTarget, number][]) {
          const now = hall.racks[i]!.setpoints[target];
          if (now === null || Math.abs(now - value) >= 0.5) hall.command(i, target, value);
        }
      }
    },
  };
}

function planRack(rack: HallRack, now_ms: number): PlanRack {
  return {
    rack_id: rack.rack_id,
    sample: rack.sample,
    age_ms: now_ms - rack.sample_ms,
    held: heldBecause(rack, now_ms),
    d_level: rack.d_slow,
    setpoints: rack.setpoints,
  };
}
