import { randomUUID } from "node:crypto";
import { type Action, RACK_TARGETS, type Target } from "../../shared/contracts/action.ts";
import type { Status } from "../../shared/contracts/messages.ts";
import { rowOf } from "../../shared/contracts/rack.ts";
import type { Log } from "../../shared/log.ts";
import { isoTime } from "../../shared/time.ts";
import type { ActionLog, SetpointAction } from "../actions/action-log.ts";
import type { ModeControl } from "../control/mode.ts";
import type { Quarantine } from "../control/quarantine.ts";
import type { EventBus } from "../events.ts";
import type { Rack } from "../fleet.ts";
import type { Rollouts } from "../models/rollout/rollouts.ts";
import type { RackMinute, Store } from "../store/store.ts";
import { attempt } from "./attempt.ts";
import { keptMap } from "./kept-map.ts";
import { judge, type RowMinutes, rowMinutes, type Verdict } from "./outcome.ts";
import type { Proposal } from "./plan.ts";
import { judgeResponse, type Response } from "./response.ts";
import { ANSWER_MS, createRollbacks } from "./rollbacks.ts";

/** A rack is known if it reported within this time before a change. */
const KNOWN_MS = 60_000;
/** How far the comparison looks back before a change. */
const HISTORY_MS = 1_800_000;
/** A change is watched for this many rounds; for so many more where nothing could be said of it until then. */
const CYCLES = 3;
const UNJUDGED =
  "its effect could not be judged: what would show it was not reported both before and after it";
/** What was taken back is not tried again on that device for this long. */
const REST_AFTER_ROLLBACK_MS = 1_800_000;

/** A change that was sent and is judged once per round. */
interface Trial {
  action: SetpointAction;
  predicted: Proposal["predicted"];
  begun_ms: number;
  /** Since when the device is asked to go this way: an earlier change in the same direction counts. */
  asked_ms: number;
  asked_from: number | null;
  cycle: number;
  /** The last round in which it is looked at. */
  cycles: number;
  /** Of the last look. */
  verdict: Verdict | null;
}

export interface Trials {
  /**
   * Sends a change and remembers what the rack was like before it; false, and nothing is sent, where that is not known
   * (a change that cannot be judged is not made), where an earlier one is still to be taken back, or where the change
   * may not leave.
   */
  begin(action: SetpointAction, predicted: Proposal["predicted"], now_ms: number): boolean;
  /**
   * Judges what is due, and takes back what made things worse, now or since it was judged, and what could not be judged
   * in twice the usual time.
   */
  settle(now_ms: number): void;
  /**
   * Hands every device that a change of the optimizer still sets back to its own control; what was sent for it. Until
   * its agent has done that, a device stays under watch.
   */
  handBack(now_ms: number): Action[];
  /**
   * Whether this device is to be left alone: a change of it is to be taken back, or was a short while ago, or it is in
   * quarantine.
   */
  resting(rack_id: string | null, target: Target, now_ms: number): boolean;
}

/** What follows from a look at a trial. */
interface Finding {
  verdict: Verdict | null;
  worsened: string | null;
  /** The device itself is at fault. */
  faulty: boolean;
}

/** As much of the optimizer's surroundings as trials need. */
export interface TrialsContext {
  actions: Pick<ActionLog, "inForce" | "unanswered" | "refusal" | "send" | "record"> & {
    setpoints: Pick<ActionLog["setpoints"], "value" | "appliedMs">;
  };
  store: {
    samples: Pick<Store["samples"], "means">;
    rollups: Pick<Store["rollups"], "minutes">;
    actions: Pick<Store["actions"], "get">;
    settings: Store["settings"];
  };
  events: Pick<EventBus, "publish">;
  mode: Pick<ModeControl, "of">;
  quarantine: Pick<Quarantine, "has" | "add">;
  fleet: {
    racks: readonly Pick<Rack, "rack_id" | "row">[];
    get(rack_id: string):
      | (Pick<Rack, "d_slow"> & {
          status: Pick<Status, "state"> | null;
          score: { guarded?: true | undefined } | null;
        })
      | undefined;
  };
  rollout: Pick<Rollouts, "scorerOf">;
  log: Pick<Log, "info" | "error">;
}

/** Trials, what is owed and what rests go on after a restart as if there had been none. */
export function createTrials(context: TrialsContext, interval_ms: number): Trials {
  const { actions, store, events, mode, quarantine, fleet, log } = context;
  const devices = fleet.racks.flatMap(({ rack_id }) =>
    RACK_TARGETS.map((target) => deviceKey(rack_id, target)),
  );
  const resting_until_ms = keptMap<number>(store.settings, "resting_until_ms", devices);
  const trials = keptMap<Trial>(store.settings, "trial", devices);
  /** Changes in force that were judged good, or made by an earlier run. */
  const standing = new Map<string, SetpointAction>();
  /** Changes that nobody has answered when their trial ended, or when an earlier run did. */
  const unanswered = new Map<string, SetpointAction>();
  const rollbacks = createRollbacks(context, deviceOf, devices);
  /** When a rack was last changed by the optimizer or back: it is no control meanwhile. */
  const changed_ms = new Map<string, number>();
  const changedMs = (rack_id: string) => changed_ms.get(rack_id) ?? Number.NEGATIVE_INFINITY;
  const resume = (known: readonly SetpointAction[], watched: Map<string, SetpointAction>) => {
    for (const action of known) {
      const device = deviceOf(action);
      changed_ms.set(action.rack_id, Math.max(changedMs(action.rack_id), Date.parse(action.ts)));
      if (trials.get(device)?.action.id !== action.id && !rollbacks.owes(device)) watched.set(device, action);
    }
  };
  resume(actions.inForce(), standing);
  resume(actions.unanswered(), unanswered);

  const resting = (rack_id: string | null, target: Target, now_ms: number) => {
    const device = deviceKey(rack_id, target);
    const until_ms = resting_until_ms.get(device) ?? Number.NEGATIVE_INFINITY;
    return quarantine.has(rack_id, target) || rollbacks.owes(device) || now_ms < until_ms;
  };

  const takeBack = (action: SetpointAction, to: number | null, worsened: string, now_ms: number) => {
    const { id, rack_id, target } = action;
    const device = deviceOf(action);
    standing.delete(device);
    resting_until_ms.set(device, now_ms + REST_AFTER_ROLLBACK_MS);
    changed_ms.set(rack_id, now_ms);
    events.publish("rollback", rack_id, { action_id: id, target, worsened });
    rollbacks.takeBack(action, to, worsened, now_ms);
  };

  const isInForce = ({ rack_id, target, to }: SetpointAction) =>
    actions.setpoints.value(rack_id, target) === to;

  /** Answers that came after all: those changes are in force, and watched as such. */
  const takeAnswers = () => {
    for (const [device, { id, rack_id, target, ts }] of unanswered) {
      const known = store.actions.get(id) as SetpointAction | null;
      const set_since = actions.setpoints.appliedMs(rack_id, target) > Date.parse(ts);
      if (known?.outcome === "sent" && !set_since) continue;
      unanswered.delete(device);
      if (known?.outcome === "applied" && isInForce(known)) standing.set(device, known);
    }
  };

  /** A trial that is given up: its change stays in force until an agent has answered otherwise. */
  const endTrial = (trial: Trial) => {
    keepVerdict(trial, null);
    const { action } = trial;
    const device = deviceOf(action);
    const known = store.actions.get(action.id) as SetpointAction | null;
    if (known?.outcome === "sent") unanswered.set(device, action);
    else if (known?.outcome === "applied" && isInForce(known)) standing.set(device, known);
    trials.delete(device);
  };

  const othersOf = ({ action }: Trial): string[] =>
    fleet.racks
      .filter(({ rack_id, row }) => row === rowOf(action.rack_id) && rack_id !== action.rack_id)
      .map(({ rack_id }) => rack_id);
  /** The row's other racks on which nothing was changed while the trial's comparison runs. */
  const unchanged = ({ begun_ms }: Trial, racks: readonly string[]): string[] =>
    racks.filter((rack_id) => changedMs(rack_id) < begun_ms - interval_ms);
  /** A look that comes late, after a restart, sees what it would have seen in time. */
  const seenUntilMs = ({ asked_ms, cycle }: Trial, now_ms: number): number =>
    Math.min(now_ms, asked_ms + (cycle + 1) * interval_ms);

  const look = (trial: Trial, minutes: readonly RackMinute[], now_ms: number): Finding => {
    const { action, predicted, begun_ms, asked_ms } = trial;
    const span = { from_ms: begun_ms - HISTORY_MS, to_ms: seenUntilMs(trial, now_ms), change_ms: begun_ms };
    const others = othersOf(trial);
    const row = rowMinutes(minutes, action.rack_id, unchanged(trial, others), span, others);
    const asked_span = { ...span, change_ms: asked_ms };
    const response = responseOf(trial, rowMinutes(minutes, action.rack_id, [], asked_span));
    const verdict = judge(row, predicted, action.target);
    const wrong = wrongResponse(response, trial);
    if (wrong) return { verdict, worsened: wrong, faulty: true };
    const worsened = verdict?.worsened ?? deviationRose(action.rack_id, context);
    return { verdict, worsened, faulty: false };
  };

  /** The action's realized saving, as its last look found it. */
  const keepVerdict = ({ action, verdict }: Trial, worsened: string | null) => {
    const { id: action_id, rack_id, predicted_saving_kw } = action;
    const known = store.actions.get(action_id);
    if (!verdict || !known) return;
    const { realized_saving_kw, realized_std_error_kw } = verdict;
    if (realized_saving_kw !== null) actions.record({ ...known, realized_saving_kw });
    const figures = { predicted_saving_kw, realized_saving_kw, realized_std_error_kw };
    log.info({ action_id, rack_id, ...figures, worsened }, "action judged");
  };

  /**
   * Returns the trial if it goes on.
   *
   * @param minutes of the rack's row
   */
  const settleTrial = (trial: Trial, minutes: readonly RackMinute[], now_ms: number): Trial | null => {
    const known = store.actions.get(trial.action.id) as SetpointAction | null;
    if (!known || known.outcome === "refused") return null;
    const next = trial.cycle < trial.cycles ? { ...trial, cycle: trial.cycle + 1 } : null;
    const { action } = trial;
    if (known.outcome !== "applied") {
      if (!next) unanswered.set(deviceOf(action), action);
      return next;
    }
    // The guardrail or an operator has set the device since: what it does now is theirs.
    if (!isInForce(known)) return null;
    const { verdict, worsened, faulty } = look(trial, minutes, now_ms);
    if (!worsened && next) return { ...next, verdict };
    const judged = verdict !== null || worsened !== null;
    if (!judged && trial.cycles === CYCLES) return { ...trial, cycle: trial.cycle + 1, cycles: 2 * CYCLES };
    keepVerdict({ ...trial, verdict }, worsened);
    const { id: action_id, rack_id, target } = action;
    // A device at fault, or of which nothing is known, is left to its own control: what it was set to before may be just
    // as wrong now.
    if (!judged) takeBack(action, null, UNJUDGED, now_ms);
    else if (worsened) takeBack(action, faulty ? null : action.from, worsened, now_ms);
    else standing.set(deviceOf(action), known);
    if (worsened && faulty)
      attempt(log, "quarantine", () => quarantine.add({ rack_id, target, reason: worsened, action_id }));
    return null;
  };

  return {
    begin(action, predicted, now_ms) {
      const { rack_id } = action;
      const known = store.samples.means(rack_id, now_ms - KNOWN_MS, now_ms);
      const device = deviceOf(action);
      // What harms is taken back first, not built upon.
      if (!known || rollbacks.owes(device) || actions.refusal(action)) return false;
      const earlier = trials.get(device);
      const fresh = { asked_ms: now_ms, asked_from: action.from, cycle: 1, cycles: CYCLES };
      const { asked_ms, asked_from, cycle, cycles } =
        earlier && sameDirection(earlier.action, action) ? earlier : fresh;
      // Before it leaves, so that no crash can come between.
      trials.set(device, {
        ...{ action, predicted, verdict: null, begun_ms: now_ms },
        ...{ asked_ms, asked_from, cycle, cycles },
      });
      if (!attempt(log, "sending a change", () => actions.send(action))) {
        if (earlier) trials.set(device, earlier);
        else trials.delete(device);
        return false;
      }
      unanswered.delete(device);
      if (earlier) keepVerdict(earlier, null);
      changed_ms.set(rack_id, now_ms);
      return true;
    },
    settle(now_ms) {
      const isDue = ({ asked_ms, cycle }: Trial) => asked_ms + cycle * interval_ms <= now_ms;
      const due = [...trials.values()].filter(isDue);
      if (due.length > 0) {
        const from_ms = Math.min(...due.map((trial) => trial.begun_ms)) - HISTORY_MS;
        const to_ms = Math.max(...due.map((trial) => seenUntilMs(trial, now_ms)));
        const minutes = store.rollups.minutes(from_ms, to_ms);
        const by_row = Map.groupBy(minutes, ({ rack_id }) => rowOf(rack_id));
        for (const trial of due) {
          const device = deviceOf(trial.action);
          const next = settleTrial(trial, by_row.get(rowOf(trial.action.rack_id)) ?? [], now_ms);
          if (next) trials.set(device, next);
          else trials.delete(device);
        }
      }
      takeAnswers();
      rollbacks.settle(now_ms);
      for (const action of standing.values()) {
        // A fixed setpoint that suited the load of then may not suit that of now: the device knows best.
        const worsened = deviationRose(action.rack_id, context);
        if (worsened) takeBack(action, null, worsened, now_ms);
      }
    },
    handBack(now_ms) {
      // What was judged until now counts; what is handed back is not judged as a change.
      for (const trial of [...trials.values()]) endTrial(trial);
      // What was handed back in an earlier round, or set by somebody else since, is nothing of the optimizer's any more.
      for (const [device, action] of standing) if (!isInForce(action)) standing.delete(device);
      // What no agent has answered may have been carried out all the same.
      const expired = [...unanswered.values()].filter(({ ts }) => now_ms - Date.parse(ts) >= ANSWER_MS);
      return [...actions.inForce(), ...expired]
        .filter(({ rack_id }) => rack_id !== null && mode.of(rack_id) === "closed_loop")
        .map((action): SetpointAction => {
          const { id, rack_id, target, to } = action;
          const { predicted_saving_kw: _, realized_saving_kw: __, ...base } = action;
          return {
            ...{ ...base, id: randomUUID(), ts: isoTime(now_ms), kind: "release", mode: mode.of(rack_id) },
            ...{ target, outcome: "sent", from: to, to: null, inputs: {} },
            reason: `hands back ${id}: the plant is measured without the optimizer`,
          };
        })
        .filter((release) => {
          if (actions.refusal(release)) return false;
          return attempt(log, "handing a device back", () => actions.send(release));
        });
    },
    resting,
  };
}

const deviceKey = (rack_id: string | null, target: Target) => `${rack_id ?? "site"}/${target}`;
const deviceOf = ({ rack_id, target }: SetpointAction) => deviceKey(rack_id, target);

function sameDirection(earlier: SetpointAction, later: SetpointAction): boolean {
  if (earlier.to === null || later.to === null) return false;
  // Down from a device's own control is what the optimizer does; up again is another direction.
  return earlier.from === null
    ? later.to <= earlier.to
    : Math.sign(later.to - earlier.to) === Math.sign(earlier.to - earlier.from);
}

/** Fans and pumps report their speed; of the other targets only their effects show. */
function responseOf(trial: Trial, row: RowMinutes): Response {
  const { target, to } = trial.action;
  if (to === null || (target !== "fan_rpm_pct" && target !== "pump_rpm_pct")) return "unclear";
  const series = {
    speed_pct: row.own(target),
    tokens_ps: row.own("tokens_ps"),
    outlet_c: row.own("outlet_c"),
  };
  return judgeResponse({ to, from: trial.asked_from }, series, row.change);
}

/** Moving away shows at once; standing still is believed after the last look only. */
function wrongResponse(response: Response, { action, cycle }: Trial): string | null {
  if (response === "opposite") return `${action.target} moved away from the ${action.to} that was asked for`;
  if (response !== "nothing" || cycle < CYCLES) return null;
  return `${action.target} did not move towards the ${action.to} that was asked for`;
}

/** Above this share of tau_fast, a rack's average D is too near to what MMS would call persistent. */
const DEVIATION_SHARE_MAX = 0.9;

/** D is judged by its average: the model must still know the rack's state as nominal. */
function deviationRose(rack_id: string, { fleet, rollout }: TrialsContext): string | null {
  const d = fleet.get(rack_id)?.d_slow ?? null;
  const tau_fast = rollout.scorerOf(rack_id)?.model.tau_fast;
  if (d === null || tau_fast === undefined || d < DEVIATION_SHARE_MAX * tau_fast) return null;
  return `D rose to ${d.toFixed(2)}, near tau_fast ${tau_fast.toFixed(2)}`;
}
