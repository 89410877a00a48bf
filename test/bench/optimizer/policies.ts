import type { Solver } from "../../../aggregator/optimizer/lp.ts";
import { judge } from "../../../aggregator/optimizer/outcome.ts";
import { type PlanRack, plan } from "../../../aggregator/optimizer/plan.ts";
import { planningConfig, planPredictive, siteTrouble } from "../../../aggregator/optimizer/predictive.ts";
import { createSiteObserver, type PredictionQuality } from "../../../aggregator/optimizer/site-observer.ts";
import type { RackTarget } from "../../../shared/contracts/action.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import type { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import type { Scorer } from "../../../shared/ims/score.ts";
import { RACKS } from "../fault-schedule.ts";
import type { Hall, HallRack, Policy } from "./hall.ts";
import { createOracle, type OracleLimits } from "./oracle.ts";

const config = AggregatorConfig.parse({});
const { limits, actuators, optimizer } = config;
const { supply: SUPPLY, equipment: EQUIPMENT } = optimizer;
export const PLANNING = planningConfig(config);

export const POLICIES = ["fixed", "automatic", "described", "ours", "oracle"] as const;
export type PolicyName = (typeof POLICIES)[number];

const INTERVAL_MS = optimizer.interval_s * 1000;
const BASELINE_MS = 60_000;
const REST_MS = 1_800_000;
const STANDING_SHARE = 0.9;

/** The middle of the described nominal profile (design §4: fan 55–75 %, pump 50–65 %), the plant's own supply air. */
export const FIXED = { fan_rpm_pct: 65, pump_rpm_pct: 57.5 } as const;

export const fixedPolicy = (rest: Policy["rest"] = FIXED): Policy => ({ rest });

/** The racks' own curves, the supply fixed. */
export const automaticPolicy = (): Policy => ({});

/** The described candidates, each judged after one interval and watched on as the aggregator's trials do. */
export function describedPolicy(hall: Hall, scorer: Scorer): Policy {
  const means = RACKS.map(() => rollingMeans());
  const resting = new Map<string, number>();
  const standing = new Map<string, { i: number; target: RackTarget }>();
  let trials: {
    i: number;
    target: RackTarget;
    from: number | null;
    before: Means;
    predicted: { inlet_c: number; latency_p95_ms: number };
    due_ms: number;
  }[] = [];
  const { tau_fast } = scorer.model;
  const rose = (i: number) => (hall.racks[i]!.d_slow ?? 0) >= STANDING_SHARE * tau_fast;
  const takeBack = (i: number, target: RackTarget, to: number | null, now_ms: number) => {
    standing.delete(`${i}/${target}`);
    resting.set(`${i}/${target}`, now_ms + REST_MS);
    hall.command(i, target, to);
  };
  return {
    onSample: (i, sample) => means[i]!.add(sample),
    tick() {
      const now_ms = hall.now_ms();
      for (const trial of trials.filter(({ due_ms }) => due_ms <= now_ms)) {
        const { i, target, from, before, predicted } = trial;
        const after = means[i]!.value();
        const verdict = after && judge(before, after, predicted);
        if (!verdict) continue;
        if (verdict.worsened || rose(i)) takeBack(i, target, from, now_ms);
        else standing.set(`${i}/${target}`, { i, target });
      }
      trials = trials.filter(({ due_ms }) => due_ms > now_ms);
      for (const { i, target } of [...standing.values()]) if (rose(i)) takeBack(i, target, null, now_ms);
      const indexOf = (rack_id: string | null) => RACKS.indexOf(rack_id ?? "");
      const { proposals } = plan(
        {
          racks: hall.racks.map((rack) => planRack(rack, now_ms)),
          kill_switch: false,
          scorer,
          changedMs: (rack_id, target) =>
            target === "supply_c" || rack_id === null
              ? hall.supply_changed_ms
              : hall.racks[indexOf(rack_id)]!.changed_ms[target],
          resting: (rack_id, target) =>
            now_ms < (resting.get(`${indexOf(rack_id)}/${target}`) ?? Number.NEGATIVE_INFINITY),
        },
        { limits, actuators, ...optimizer },
        now_ms,
      );
      for (const { rack_id, target, to, predicted } of proposals) {
        // The floor only advises a supply setpoint: it does not know the present one.
        if (rack_id === null || target === "supply_c") continue;
        const i = indexOf(rack_id);
        const before = means[i]!.value();
        if (!before) continue;
        const was = hall.racks[i]!.setpoints[target];
        if (hall.command(i, target, to))
          trials.push({ i, target, from: was, before, predicted, due_ms: now_ms + INTERVAL_MS });
      }
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
  const observer = createSiteObserver({ rack_ids: RACKS, equipment: EQUIPMENT, supply: SUPPLY });
  const fallback = describedPolicy(hall, scorer);
  const notes: Notes = { fallback_ticks: 0, ticks: 0, infeasible_ticks: 0, rejected: {} };
  return {
    onSample(i, sample, h) {
      observer.observe(RACKS[i]!, sample, h.now_ms(), h.racks[i]!.setpoints);
      fallback.onSample?.(i, sample, h);
    },
    tick(h) {
      const now_ms = h.now_ms();
      notes.ticks++;
      if (siteTrouble(observer.models())) {
        notes.fallback_ticks++;
        return;
      }
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
            now_ms - h.racks[RACKS.indexOf(rack_id)]!.changed_ms[target] >= INTERVAL_MS,
        },
        PLANNING,
        solve,
      );
      if (made.explanations.length > 0) notes.infeasible_ticks++;
      for (const [reason, count] of Object.entries(made.rejected))
        notes.rejected[reason] = (notes.rejected[reason] ?? 0) + count;
      for (const { rack_id, target, to } of made.proposals) {
        if (rack_id === null || target === "supply_c") {
          h.setSupply(to);
          observer.supply(to, now_ms);
        } else {
          const device = target === "routing_weight_pct" && to >= 100 ? null : to;
          h.command(RACKS.indexOf(rack_id), target, device);
        }
      }
      report(observer.quality(), notes);
    },
  };
}

export interface Notes {
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

/** Knows the plant's equations, every constant, every fault and the true load. */
export function oraclePolicy(hall: Hall, seed: number, oracle_limits: Partial<OracleLimits> = {}): Policy {
  const oracle = createOracle(seed, RACKS, {
    inlet_max_c: 25.3,
    latency_max_ms: 213,
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
    persistent: rack.mms?.state === "persistent" || rack.guarded,
    d_level: rack.d_slow,
    setpoints: rack.setpoints,
  };
}

type Means = NonNullable<Parameters<typeof judge>[0]>;

/** Means of the last minute, as the aggregator's store gives them. */
function rollingMeans() {
  const kept: TelemetrySample[] = [];
  const size = BASELINE_MS / 5_000;
  const mean = (pick: (sample: TelemetrySample) => number | null) => {
    const values = kept.map(pick).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    add(sample: TelemetrySample) {
      kept.push(sample);
      if (kept.length > size) kept.shift();
    },
    value(): Means | null {
      if (kept.length === 0) return null;
      return {
        samples: kept.length,
        inlet_c: mean((s) => s.inlet_c),
        latency_p95_ms: mean((s) => s.latency_p95_ms),
        pdu_kw: mean((s) => s.pdu_kw),
        tokens_ps: mean((s) => s.tokens_ps),
      };
    },
  };
}
