import { randomUUID } from "node:crypto";
import { type Action, RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { OptimizerRound } from "../../shared/contracts/optimizer.ts";
import type { Scorer } from "../../shared/ims/score.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { ActionLog, SetpointAction } from "../actions/action-log.ts";
import type { ModeControl } from "../control/mode.ts";
import type { Quarantine } from "../control/quarantine.ts";
import type { EventBus } from "../events.ts";
import { agentOnline, dataAgeMs, type Fleet, type Rack } from "../fleet.ts";
import type { Rollouts } from "../models/rollout/rollouts.ts";
import { isPaused } from "../savings/switchback.ts";
import type { SimulatorLink } from "../scenarios/simulator.ts";
import type { Store } from "../store/store.ts";
import { attempt } from "./attempt.ts";
import { heldBecause } from "./held.ts";
import type { Solver } from "./lp.ts";
import { type Plan, type PlanRack, type PlanState, type Proposal, plan, skipReason } from "./plan.ts";
import {
  type PredictivePlan,
  type PredictiveState,
  planningConfig,
  planPredictive,
  siteTrouble,
} from "./predictive.ts";
import { siteLevel } from "./site-level.ts";
import { createSiteObserver } from "./site-observer.ts";
import { createTrials } from "./trials.ts";
import { roundSentences } from "./wording.ts";

type Decision = Omit<OptimizerRound, "ts" | "mode" | "actions" | "summary"> & { proposals: Proposal[] };

export interface Optimizer {
  start(): void;
  stop(): void;
  /** One round now: judges what is due, plans, advises or sends. */
  tick(): OptimizerRound;
  /** The last round; null before the first. */
  last(): OptimizerRound | null;
}

export interface OptimizerContext {
  config: Pick<AggregatorConfig, "limits" | "actuators" | "optimizer" | "savings">;
  /** For the predictive policy; null: the described one decides. */
  solve: Solver | null;
  clock: Clock;
  log: Log;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  rollout: Pick<Rollouts, "scorer" | "scorerOf">;
  mode: ModeControl;
  actions: ActionLog;
  quarantine: Quarantine;
  simulator: SimulatorLink;
}

/** Samples come every 5 s; asking twice as often misses none. */
const OBSERVE_MS = 2_500;

/** The slow loop: a thin shell around the plans and `judge`. */
export function createOptimizer(context: OptimizerContext): Optimizer {
  const { clock, log, actions, fleet, simulator } = context;
  const { limits, actuators, optimizer: settings, savings } = context.config;
  const interval_ms = settings.interval_s * 1000;
  const trials = createTrials(context, interval_ms);
  const rack_ids = fleet.racks.map(({ rack_id }) => rack_id);
  const observer = createSiteObserver(rack_ids, context.config);
  const observed = new Map<string, Rack["sample"]>();
  const planning = planningConfig(context.config);
  const stops: (() => void)[] = [];
  let last: OptimizerRound | null = null;

  const observe = () => {
    for (const rack of fleet.racks) {
      // What is new is a matter of order, which ingest has judged: a clock that was ahead and is set back shows old `ts`.
      if (!rack.sample || rack.sample === observed.get(rack.rack_id)) continue;
      observed.set(rack.rack_id, rack.sample);
      const measured_ms = Math.min(rack.ts_ms, rack.received_ms);
      observer.observe(rack.rack_id, rack.sample, measured_ms, setpointsOf(rack, actions));
    }
  };

  /** The supply air has an actuator where a simulator is connected; elsewhere a setpoint is only advised. */
  const supplyDriven = () => {
    const may_drive = context.mode.of(null) === "closed_loop" && settings.supply.drive;
    return may_drive && simulator.status() !== null;
  };
  /** Back to where the site is run without the optimizer; null where it is. */
  const releaseSupply = (why: string, now_ms: number): Action | null => {
    const applied = actions.setpoints.value(null, "supply_c");
    observer.supply(savings.supply_c, now_ms);
    if (applied === null) return null;
    simulator.setSupply(null);
    const released: Action = {
      ...{ v: 1, id: randomUUID(), ts: isoTime(now_ms), rack_id: null, source: "optimizer" },
      ...{ kind: "release", target: "supply_c", from: applied, to: null, mode: context.mode.of(null) },
      ...{ outcome: "applied", reason: `hands the supply air back: ${why}`, inputs: {} },
    };
    actions.record(released);
    return released;
  };
  /** Whoever drives the supply air lets go of a setpoint that is not renewed. */
  const holdSupply = (now_ms: number) => {
    if (!supplyDriven()) return void releaseSupply("it may not be driven", now_ms);
    const applied = actions.setpoints.value(null, "supply_c");
    if (applied === null) return;
    const held_c = Math.min(settings.supply.max, applied);
    simulator.setSupply(held_c);
    observer.supply(held_c, now_ms);
  };

  /** null: not carried out. */
  const carryOut = (proposal: Proposal, policy: OptimizerRound["policy"], now_ms: number): Action | null => {
    const mode = context.mode.of(proposal.rack_id);
    const action = toAction(proposal, mode, now_ms);
    // The described policy only guesses the setpoint, from the coolest inlet: that is good enough for advice.
    if (policy === "predictive" && proposal.target === "supply_c" && supplyDriven()) {
      const applied: Action = { ...action, outcome: "applied" };
      simulator.setSupply(proposal.to);
      observer.supply(proposal.to, now_ms);
      actions.record(applied);
      return applied;
    }
    if (mode === "advisory" || !isForRack(action)) {
      actions.record(action);
      return action;
    }
    return trials.begin(action, proposal.predicted, now_ms) ? { ...action, outcome: "sent" } : null;
  };

  const described = (now_ms: number): Plan =>
    plan(planState(context, now_ms, trials.resting), { limits, actuators, ...settings }, now_ms);

  /** What is known of each rack now, in the fleet's order. */
  const modelled = (now_ms: number) => rack_ids.map((rack_id) => observer.rack(rack_id, now_ms)!);

  const predictive = (
    solve: Solver,
    scorer: Scorer,
    known: ReturnType<typeof modelled>,
    now_ms: number,
  ): PredictivePlan => {
    const rested = (rack_id: string | null, target: Action["target"]) => {
      const since_ms = now_ms - actions.setpoints.changedMs(rack_id, target);
      return (since_ms < 0 || since_ms >= interval_ms) && !trials.resting(rack_id, target, now_ms);
    };
    const state: PredictiveState = {
      racks: fleet.racks.map((rack, i) => ({
        ...known[i]!,
        held: heldBecause(rack, context.mode.of(rack.rack_id) === "closed_loop", now_ms),
        setpoints: setpointsOf(rack, actions),
        d_level: siteLevel(rack.d_slow, context.rollout.scorerOf(rack.rack_id), scorer),
      })),
      supply: { setpoint_c: observer.supply_setpoint_c, open: rested(null, "supply_c") },
      scorer,
      open: rested,
    };
    return planPredictive(state, planning, solve);
  };

  const decide = (now_ms: number): Decision => {
    const started = performance.now();
    const { solve } = context;
    const known = solve ? modelled(now_ms) : [];
    const trouble = solve ? siteTrouble(known) : null;
    const scorer = context.rollout.scorer();
    const skipped = skipReason(planState(context, now_ms, trials.resting));
    const made =
      solve && scorer && !trouble && !skipped
        ? {
            ...predictive(solve, scorer, known, now_ms),
            skipped: null,
            policy: "predictive" as const,
            fallback: null,
          }
        : { ...described(now_ms), policy: "described" as const, fallback: trouble };
    const plan_ms = performance.now() - started;
    return { explanations: [], solver: null, ...made, plan_ms, prediction: observer.quality() };
  };

  /** What the plant would use without the optimizer is measured now. */
  const pause = (now_ms: number): Decision & { taken: Action[] } => {
    const released = releaseSupply("the plant is measured without the optimizer", now_ms);
    const taken = [...trials.handBack(now_ms), ...(released ? [released] : [])];
    return {
      ...{ skipped: "switchback", rejected: {}, policy: settings.policy, fallback: null, explanations: [] },
      ...{ proposals: [], taken, plan_ms: 0, solver: null, prediction: observer.quality() },
    };
  };

  const report = (made: Decision & { taken: Action[] }, now_ms: number): OptimizerRound => {
    const { proposals: _, taken, ...decided } = made;
    const { mode } = context.mode.get();
    const { skipped, rejected, policy, fallback, explanations, plan_ms } = decided;
    log.info(
      { mode, policy, fallback, skipped, rejected, explanations, plan_ms, proposals: taken.length },
      "optimizer tick",
    );
    const summary = roundSentences({ ...decided, actions: taken });
    last = { ts: isoTime(now_ms), mode, ...decided, actions: taken, summary };
    return last;
  };
  const tick = (): OptimizerRound => {
    const now_ms = clock.now();
    observe();
    trials.settle(now_ms);
    if (isPaused(now_ms, savings.switchback_h)) return report(pause(now_ms), now_ms);
    holdSupply(now_ms);
    const decided = decide(now_ms);
    const taken = decided.proposals.map((proposal) => carryOut(proposal, decided.policy, now_ms));
    return report({ ...decided, taken: taken.filter((action) => action !== null) }, now_ms);
  };
  const guarded = (what: string, run: () => void) => () => void attempt(log, what, run);
  return {
    start() {
      if (stops.length > 0) return;
      stops.push(clock.every(OBSERVE_MS, guarded("optimizer's observation", observe)));
      stops.push(clock.every(interval_ms, guarded("optimizer tick", tick)));
    },
    stop() {
      for (const stop of stops.splice(0)) stop();
    },
    tick,
    last: () => last,
  };
}

function setpointsOf(rack: Rack, actions: ActionLog): Record<RackTarget, number | null> {
  return Object.fromEntries(
    RACK_TARGETS.map((target) => [target, actions.setpoints.value(rack.rack_id, target)]),
  ) as Record<RackTarget, number | null>;
}

function planState(context: OptimizerContext, now_ms: number, resting: PlanState["resting"]): PlanState {
  const { fleet, mode, actions, rollout } = context;
  const scorer = rollout.scorer();
  const toPlanRack = (rack: Rack): PlanRack => {
    const closed_loop = mode.of(rack.rack_id) === "closed_loop";
    return {
      rack_id: rack.rack_id,
      // Where changes are driven, a rack without a live agent cannot take one.
      sample: closed_loop && !agentOnline(rack) ? null : rack.sample,
      age_ms: dataAgeMs(rack, now_ms),
      held: heldBecause(rack, closed_loop, now_ms),
      d_level: siteLevel(rack.d_slow, rollout.scorerOf(rack.rack_id), scorer),
      setpoints: setpointsOf(rack, actions),
    };
  };
  return {
    racks: fleet.racks.map(toPlanRack),
    kill_switch: mode.get().kill_switch,
    scorer,
    changedMs: actions.setpoints.changedMs,
    resting,
  };
}

function toAction(proposal: Proposal, mode: Action["mode"], now_ms: number): Action {
  const { predicted, predicted_saving_kw, rack_id, target, from, to, reason } = proposal;
  return {
    v: 1,
    id: randomUUID(),
    ts: isoTime(now_ms),
    rack_id,
    source: "optimizer",
    kind: "optimize",
    target,
    from,
    to,
    mode,
    outcome: "advised",
    reason,
    inputs: {
      predicted_inlet_c: predicted.inlet_c,
      predicted_latency_p95_ms: predicted.latency_p95_ms,
      predicted_d: predicted.d,
    },
    predicted_saving_kw,
  };
}

function isForRack(action: Action): action is SetpointAction {
  return action.rack_id !== null && action.target !== "supply_c";
}
