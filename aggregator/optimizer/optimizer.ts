import { randomUUID } from "node:crypto";
import { type Action, RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { ActionLog, SetpointAction } from "../actions/action-log.ts";
import type { ModeControl } from "../control/mode.ts";
import type { EventBus } from "../events.ts";
import { agentOnline, dataAgeMs, type Fleet, type Rack } from "../fleet.ts";
import type { Rollout } from "../models/rollout.ts";
import type { RackMeans, Store } from "../store/store.ts";
import { judge } from "./outcome.ts";
import { type Plan, type PlanConfig, type PlanRack, type Proposal, plan } from "./plan.ts";

export interface TickReport {
  ts: string;
  mode: Action["mode"];
  skipped: Plan["skipped"];
  rejected: Plan["rejected"];
  actions: Action[];
}

export interface Optimizer {
  start(): void;
  stop(): void;
  /** One round now: judges what is due, plans, advises or sends. */
  tick(): TickReport;
}

interface OptimizerContext {
  config: PlanConfig;
  clock: Clock;
  log: Log;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  rollout: Rollout;
  mode: ModeControl;
  actions: ActionLog;
}

/** A change that was sent and waits to be judged against the rack as it was before. */
interface Trial {
  action: SetpointAction;
  before: RackMeans;
  predicted: Proposal["predicted"];
  due_ms: number;
}

/** A rack's baseline is its mean over this time before the change; so is what it is compared with. */
const BASELINE_MS = 60_000;

/** The slow loop: a thin shell around `plan` and `judge`. */
export function createOptimizer(context: OptimizerContext): Optimizer {
  const { clock, log, actions } = context;
  const interval_ms = context.config.interval_s * 1000;
  let trials: Trial[] = [];
  let stopTimer: (() => void) | undefined;

  const settle = (now_ms: number) => {
    const due = trials.filter((trial) => trial.due_ms <= now_ms);
    trials = trials.filter((trial) => trial.due_ms > now_ms);
    for (const trial of due) settleTrial(trial, now_ms, context);
  };
  const carryOut = (proposal: Proposal, now_ms: number): Action => {
    const { mode } = context.mode.get();
    const action = toAction(proposal, mode, now_ms);
    // The site's supply air has no actuator on this side yet: whatever the mode, it is only advised.
    if (mode === "advisory" || !isForRack(action)) {
      actions.record(action);
      return action;
    }
    const before = context.store.samples.means(action.rack_id, now_ms - BASELINE_MS, now_ms);
    actions.send(action);
    if (before) trials.push({ action, before, predicted: proposal.predicted, due_ms: now_ms + interval_ms });
    return { ...action, outcome: "sent" };
  };
  const tick = (): TickReport => {
    const now_ms = clock.now();
    settle(now_ms);
    const { skipped, proposals, rejected } = plan(planState(context, now_ms), context.config, now_ms);
    const taken = proposals.map((proposal) => carryOut(proposal, now_ms));
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

function planState(context: OptimizerContext, now_ms: number) {
  const { fleet, mode, actions, rollout } = context;
  const closed_loop = mode.get().mode === "closed_loop";
  const toPlanRack = (rack: Rack): PlanRack => ({
    rack_id: rack.rack_id,
    // Where changes are driven, a rack without a live agent cannot take one.
    sample: closed_loop && !agentOnline(rack) ? null : rack.sample,
    age_ms: dataAgeMs(rack, now_ms),
    persistent: rack.mms?.state === "persistent",
    setpoints: Object.fromEntries(
      RACK_TARGETS.map((target) => [target, actions.setpoints.value(rack.rack_id, target)]),
    ) as Record<RackTarget, number | null>,
  });
  return {
    racks: fleet.racks.map(toPlanRack),
    kill_switch: mode.get().kill_switch,
    scorer: rollout.scorer(),
    changedMs: actions.setpoints.changedMs,
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

/** After one interval: writes down what the change really saved, and takes it back if anything became worse. */
function settleTrial(trial: Trial, now_ms: number, context: OptimizerContext): void {
  const { action, before, predicted } = trial;
  const { actions, store, events, mode, log } = context;
  const known = store.actions.get(action.id);
  if (known?.outcome !== "applied") return;
  const after = store.samples.means(action.rack_id, now_ms - BASELINE_MS, now_ms);
  const verdict = after && judge(before, after, predicted);
  if (!verdict) return;
  const { realized_saving_kw, worsened } = verdict;
  actions.record({ ...known, realized_saving_kw });
  const { predicted_saving_kw } = action;
  log.info(
    { action_id: action.id, rack_id: action.rack_id, predicted_saving_kw, realized_saving_kw, worsened },
    "action judged",
  );
  if (!worsened) return;
  events.publish("rollback", action.rack_id, { action_id: action.id, target: action.target, worsened });
  const rollback: SetpointAction = {
    ...action,
    id: randomUUID(),
    ts: isoTime(now_ms),
    kind: "rollback",
    mode: mode.get().mode,
    outcome: "advised",
    from: action.to,
    to: action.from,
    reason: `takes back ${action.id}: ${worsened}`,
    inputs: { realized_saving_kw },
  };
  delete rollback.predicted_saving_kw;
  const may_drive = mode.get().mode === "closed_loop" && !mode.get().kill_switch;
  if (may_drive) actions.send(rollback);
  else actions.record(rollback);
}
