import { randomUUID } from "node:crypto";
import type { Target } from "../../shared/contracts/action.ts";
import { isoTime } from "../../shared/time.ts";
import type { SetpointAction } from "../actions/action-log.ts";
import type { RackMeans } from "../store/store.ts";
import type { OptimizerContext } from "./optimizer.ts";
import { judge } from "./outcome.ts";
import type { Proposal } from "./plan.ts";

/** A rack's baseline is its mean over this time before the change; so is what it is compared with. */
const BASELINE_MS = 60_000;
/** What was taken back is not tried again on that device for this long. */
const REST_AFTER_ROLLBACK_MS = 1_800_000;

/** A change that was sent and waits to be judged against the rack as it was before. */
interface Trial {
  action: SetpointAction;
  before: RackMeans;
  proposal: Proposal;
  due_ms: number;
}

export interface Trials {
  /**
   * Sends a change and remembers what the rack was like before it; false, and nothing is sent, where that is not known:
   * a change that cannot be judged is not made.
   */
  begin(action: SetpointAction, proposal: Proposal, now_ms: number): boolean;
  /** Judges what is due, and takes back what made things worse, now or since it was judged. */
  settle(now_ms: number): void;
  /** Whether a change of this device was taken back a short while ago. */
  resting(rack_id: string | null, target: Target, now_ms: number): boolean;
}

export function createTrials(context: OptimizerContext, interval_ms: number): Trials {
  const { actions, store, events, mode, log } = context;
  const resting_until_ms = new Map<string, number>();
  /** Changes in force that were judged good, or made by an earlier run. */
  const standing = new Map<string, SetpointAction>();
  let trials: Trial[] = [];
  for (const action of actions.inForce()) standing.set(deviceKey(action.rack_id, action.target), action);

  const resting = (rack_id: string | null, target: Target, now_ms: number) =>
    now_ms < (resting_until_ms.get(deviceKey(rack_id, target)) ?? Number.NEGATIVE_INFINITY);

  const takeBack = (action: SetpointAction, to: number | null, worsened: string, now_ms: number) => {
    const { id, rack_id, target } = action;
    const may_drive = mode.get().mode === "closed_loop" && !mode.get().kill_switch;
    // Where nothing may be driven now, the change stays under watch until it can be taken back.
    if (may_drive) standing.delete(deviceKey(rack_id, target));
    else standing.set(deviceKey(rack_id, target), action);
    if (resting(rack_id, target, now_ms) && !may_drive) return;
    resting_until_ms.set(deviceKey(rack_id, target), now_ms + REST_AFTER_ROLLBACK_MS);
    events.publish("rollback", rack_id, { action_id: id, target, worsened });
    const { predicted_saving_kw: _, ...base } = action;
    const rollback: SetpointAction = {
      ...base,
      id: randomUUID(),
      ts: isoTime(now_ms),
      kind: "rollback",
      mode: mode.get().mode,
      outcome: "advised",
      from: action.to,
      to,
      reason: `takes back ${id}: ${worsened}`,
      inputs: {},
    };
    if (may_drive) actions.send(rollback);
    else actions.record(rollback);
  };

  const settleTrial = ({ action, before, proposal }: Trial, now_ms: number) => {
    const known = store.actions.get(action.id);
    if (known?.outcome !== "applied") return;
    const after = store.samples.means(action.rack_id, now_ms - BASELINE_MS, now_ms);
    const { predicted, counterfactual = null } = proposal;
    const verdict = after && judge(before, after, predicted, counterfactual);
    if (!verdict) return;
    const { realized_saving_kw } = verdict;
    const worsened = verdict.worsened ?? deviationRose(action.rack_id, context);
    actions.record({ ...known, realized_saving_kw });
    const { id: action_id, rack_id, predicted_saving_kw } = action;
    log.info({ action_id, rack_id, predicted_saving_kw, realized_saving_kw, worsened }, "action judged");
    if (worsened) takeBack(action, action.from, worsened, now_ms);
    else standing.set(deviceKey(rack_id, action.target), action);
  };

  return {
    begin(action, proposal, now_ms) {
      const before = store.samples.means(action.rack_id, now_ms - BASELINE_MS, now_ms);
      if (!before) return false;
      actions.send(action);
      trials.push({ action, before, proposal, due_ms: now_ms + interval_ms });
      return true;
    },
    settle(now_ms) {
      const due = trials.filter((trial) => trial.due_ms <= now_ms);
      trials = trials.filter((trial) => trial.due_ms > now_ms);
      for (const trial of due) settleTrial(trial, now_ms);
      for (const action of standing.values()) {
        // A fixed setpoint that suited the load of then may not suit that of now: the device knows best.
        const worsened = deviationRose(action.rack_id, context);
        if (worsened) takeBack(action, null, worsened, now_ms);
      }
    },
    resting,
  };
}

const deviceKey = (rack_id: string | null, target: Target) => `${rack_id ?? "site"}/${target}`;

/**
 * Above this share of tau_fast, a rack's average D is too near to what MMS would call persistent. The predictive policy
 * plans every rack anew in every round, with a bound on D of its own, so what it does is taken back later.
 */
const DEVIATION_SHARE_MAX = { described: 0.9, predictive: 1 } as const;

/** D is judged by its average: the model must still know the rack's state as nominal. */
function deviationRose(rack_id: string, { fleet, rollout, config }: OptimizerContext): string | null {
  const d = fleet.get(rack_id)?.d_slow ?? null;
  const tau_fast = rollout.scorer()?.model.tau_fast;
  if (d === null || tau_fast === undefined || d < DEVIATION_SHARE_MAX[config.optimizer.policy] * tau_fast)
    return null;
  return `D rose to ${d.toFixed(2)}, near tau_fast ${tau_fast.toFixed(2)}`;
}
