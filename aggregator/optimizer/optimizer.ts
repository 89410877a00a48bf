import { randomUUID } from "node:crypto";
import { type Action, RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { ActionLog, SetpointAction } from "../actions/action-log.ts";
import type { ModeControl } from "../control/mode.ts";
import type { Quarantine } from "../control/quarantine.ts";
import type { EventBus } from "../events.ts";
import { agentOnline, dataAgeMs, type Fleet, type Rack } from "../fleet.ts";
import type { Rollouts } from "../models/rollout/rollouts.ts";
import { isPaused } from "../savings/switchback.ts";
import type { Store } from "../store/store.ts";
import { type Plan, type PlanConfig, type PlanRack, type PlanState, type Proposal, plan } from "./plan.ts";
import { createTrials } from "./trials.ts";

interface TickReport {
  ts: string;
  mode: Action["mode"];
  skipped: Plan["skipped"] | "switchback";
  rejected: Plan["rejected"];
  actions: Action[];
}

export interface Optimizer {
  start(): void;
  stop(): void;
  /** One round now: judges what is due, plans, advises or sends. */
  tick(): TickReport;
}

export interface OptimizerContext {
  config: PlanConfig & { switchback_h: number };
  clock: Clock;
  log: Log;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  rollout: Pick<Rollouts, "scorer" | "scorerOf">;
  mode: ModeControl;
  actions: ActionLog;
  quarantine: Quarantine;
}

/** The slow loop: a thin shell around `plan` and `judge`. */
export function createOptimizer(context: OptimizerContext): Optimizer {
  const { clock, log, actions } = context;
  const interval_ms = context.config.interval_s * 1000;
  const trials = createTrials(context, interval_ms);
  let stopTimer: (() => void) | undefined;

  /** null: not carried out. */
  const carryOut = (proposal: Proposal, now_ms: number): Action | null => {
    const mode = context.mode.of(proposal.rack_id);
    const action = toAction(proposal, mode, now_ms);
    // The site's supply air has no actuator on this side yet: whatever the mode, it is only advised.
    if (mode === "advisory" || !isForRack(action)) {
      actions.record(action);
      return action;
    }
    return trials.begin(action, proposal.predicted, now_ms) ? { ...action, outcome: "sent" } : null;
  };
  /** What the plant would use without the optimizer is measured now. */
  const pause = (now_ms: number): TickReport => {
    const released = trials.handBack(now_ms);
    const { mode } = context.mode.get();
    log.info({ mode, skipped: "switchback", released: released.length }, "optimizer tick");
    return { ts: isoTime(now_ms), mode, skipped: "switchback", rejected: {}, actions: released };
  };
  const tick = (): TickReport => {
    const now_ms = clock.now();
    trials.settle(now_ms);
    if (isPaused(now_ms, context.config.switchback_h)) return pause(now_ms);
    const state = planState(context, now_ms, trials.resting);
    const { skipped, proposals, rejected } = plan(state, context.config, now_ms);
    const taken = proposals.map((proposal) => carryOut(proposal, now_ms)).filter((action) => action !== null);
    const { mode } = context.mode.get();
    log.info({ mode, skipped, rejected, proposals: taken.length }, "optimizer tick");
    return { ts: isoTime(now_ms), mode, skipped, rejected, actions: taken };
  };
  return {
    start() {
      stopTimer ??= clock.every(interval_ms, () => {
        try {
          tick();
        } catch (error) {
          log.error({ err: error }, "optimizer tick failed");
        }
      });
    },
    stop() {
      stopTimer?.();
      stopTimer = undefined;
    },
    tick,
  };
}

function planState(context: OptimizerContext, now_ms: number, resting: PlanState["resting"]): PlanState {
  const { fleet, mode, actions, rollout } = context;
  const scorer = rollout.scorer();
  /** A rack with another model has its D on another scale; the plan thinks on the site's. */
  const siteLevel = ({ rack_id, d_slow }: Rack) => {
    const own = rollout.scorerOf(rack_id);
    if (d_slow === null || !scorer || !own || own === scorer) return d_slow;
    return (d_slow / own.model.tau_fast) * scorer.model.tau_fast;
  };
  const toPlanRack = (rack: Rack): PlanRack => ({
    rack_id: rack.rack_id,
    // Where changes are driven, a rack without a live agent cannot take one.
    sample: mode.of(rack.rack_id) === "closed_loop" && !agentOnline(rack) ? null : rack.sample,
    age_ms: dataAgeMs(rack, now_ms),
    persistent: rack.mms?.state === "persistent",
    d_level: siteLevel(rack),
    setpoints: Object.fromEntries(
      RACK_TARGETS.map((target) => [target, actions.setpoints.value(rack.rack_id, target)]),
    ) as Record<RackTarget, number | null>,
  });
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
