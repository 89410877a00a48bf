import type { RackTarget } from "../../shared/contracts/action.ts";
import type { Actuators, AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Limits } from "../../shared/contracts/config-parts.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import type { Scorer } from "../../shared/ims/score.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import {
  type AxisCurve,
  convexPieces,
  EFFECTS,
  type Effects,
  type Evaluated,
  evaluate,
  perUnit,
} from "./linearise.ts";
import { createLp, type Solver } from "./lp.ts";
import type { Prediction, Proposal } from "./plan.ts";
import type { Observation, Operation, Outlook, RackModel } from "./rack-model.ts";

/** One rack as the planner sees it. */
export interface PredictiveRack {
  rack_id: string;
  row: string;
  model: RackModel;
  /** Since the last complete minute that the model saw; Infinity before the first. */
  recent_age_ms: number;
  /** Why its setpoints must not be changed now; null: they may. */
  held: string | null;
  setpoints: Record<RackTarget, number | null>;
  neighbour_c: number;
  /** Expected load: its mean over the plan's horizon, and its highest. */
  load: { mean_tokens_ps: number; peak_tokens_ps: number };
  /** The rack's D, averaged over minutes; null where it was not scored. */
  d_level: number | null;
}

export interface PredictiveState {
  racks: readonly PredictiveRack[];
  /** The site's supply air: the setpoint in force, and whether it may be changed now. */
  supply: { setpoint_c: number; open: boolean };
  scorer: Scorer;
  /** Whether this device may be changed now. */
  open(rack_id: string, target: RackTarget): boolean;
}

export interface PredictiveConfig {
  limits: Limits;
  actuators: Actuators;
  /** Upwards at most `step_max` in one plan, downwards, the cool side, at most `step_down_max`. */
  supply: { min: number; max: number; step_max: number; step_down_max: number };
  /** Distance that the agents' guardrail keeps from the inlet's limit. */
  inlet_margin_c: number;
  /** Readings that agents average into one sample: single ones scatter more by the square root of it. */
  readings_per_sample: number;
  /** The window that a rack uses when none is set. */
  batch_window_ms: number;
  capacity_tokens_ps: number;
  time_limit_s: number;
}

/** The planner's settings, from the aggregator's configuration. */
export function planningConfig(config: {
  limits: Limits;
  actuators: Actuators;
  optimizer: AggregatorConfig["optimizer"];
}): PredictiveConfig {
  const { limits, actuators, optimizer } = config;
  const { supply, inlet_margin_c, readings_per_sample, time_limit_s, equipment } = optimizer;
  const { batch_window_ms, capacity_tokens_ps } = equipment;
  return {
    limits,
    actuators,
    supply,
    inlet_margin_c,
    readings_per_sample,
    time_limit_s,
    batch_window_ms,
    capacity_tokens_ps,
  };
}

export interface PredictivePlan {
  proposals: Proposal[];
  rejected: Record<string, number>;
  /** What could not be met, in words; empty if everything can be. */
  explanations: string[];
  solver: { status: string; iterations: number; columns: number };
}

const AXES = ["fan_rpm_pct", "pump_rpm_pct", "batch_window_ms"] as const;
type Axis = (typeof AXES)[number];
/** How far one plan moves a device at most: the model is trusted that far around where the rack is. */
const TRUST: Record<Axis | "routing_weight_pct", number> = {
  fan_rpm_pct: 5,
  pump_rpm_pct: 10,
  batch_window_ms: 10,
  routing_weight_pct: 5,
};
/** Smaller changes are not worth an action. */
const DEADBAND: Record<Axis | "routing_weight_pct" | "supply_c", number> = {
  fan_rpm_pct: 2.5,
  pump_rpm_pct: 5,
  batch_window_ms: 9,
  routing_weight_pct: 4,
  supply_c: 0.15,
};
/** A window's inlet above guardrail's margin costs a protective action; this many σ make it one in 20,000. */
const INLET_SIGMAS = 4;
/** A single reading at the limit sets the guardrail off at once; of 86,400 a day hardly one is this many σ off. */
const READING_SIGMAS = 4.3;
/** Bursts have a longer tail than noise: a window may be wider than usual only with this margin to p95's limit … */
const LATENCY_SIGMAS = 2.6;
/** … and is narrowed below the usual one when even this is gone. */
const LATENCY_LAST_SIGMAS = 1.2;
/** Below the share at which trials take a change back. */
const DEVIATION_SHARE_MAX = 0.85;
/** Price of breaking a limit, far above any saving: kW per °C, ms and kW. */
const PENALTY: Effects = { inlet: 20, latency: 1, rack_kw: 50 };
/**
 * The first stretch above a planned limit eats into the margin only; for one rack alone that is not worth cooling the
 * whole site, for several it is.
 */
const NEAR: Effects = { inlet: 0.7, latency: 5, rack_kw: 0 };
const NEAR_PENALTY: Effects = { inlet: 0.5, latency: 0.1, rack_kw: 50 };
const WORDS: Record<keyof Effects, string> = {
  inlet: "inlet",
  latency: "p95",
  rack_kw: "rack power",
};
/** A change must promise more than this over its full step, or noise would move devices for nothing (kW). */
const MOVE_KW: Record<Axis, number> = { fan_rpm_pct: 0.015, pump_rpm_pct: 0.008, batch_window_ms: 0.04 };
/** What a rack's inlet does when the supply gets 1 °C warmer, where no model can say. */
const INLET_PER_SUPPLY = 0.9;
/** A model that errs more than this (RMS, one step ahead) is not planned with. */
const ERROR_MAX = { inlet_c: 1, outlet_c: 2, pdu_kw: 0.4 };
/** Beyond this (ms) nobody can say how long a window may be, or how much traffic a rack bears. */
const LATENCY_ERROR_MAX_MS = 25;
const PERIODS_MIN = 5;
/** What a rack showed longer ago, before its samples got holes or stopped, is no basis for a plan. */
const RECENT_MAX_MS = 600_000;
/** With fewer good models than this share there is nothing to plan with. */
const GOOD_SHARE_MIN = 0.6;
/** What the usual batching window costs at most against the widest. */
const RELIEF_POWER_SHARE = 0.1;
/** So many hot racks of one row are hot indeed, whatever is thought of each one's model. */
const CORROBORATION = 3;
/** A rack this far above its planned limit is either in trouble of its own or shares it with its row. */
const LONE_EXCESS_C = 1;
/** The supply air may warm a rack in trouble of its own as long as samples stay this many σ off the guardrail. */
const BEARABLE_SIGMAS = 2.5;
/** A row shares trouble when its racks come this close to the guardrail's margin. */
const SHARED_BELOW_C = 1.5;
/** The guardrail of a hot row sends its traffic to everyone else. */
const DIVERTED_GROWTH = 1.12;
/** Shares of the step to try where the full step is predicted to break something. */
const RETREATS = [1, 0.6, 0.3];
/** What the router fills a rack to, and the load above the site's mean that makes a rack give some away. */
const FILL_SHARE = 0.64;
const DONOR_EXCESS = 1.06;
const LOAD_STEP_TOKENS_PS = 300;
/** Giving all of its traffic away costs this much (kW), or noise in the load would make donors for nothing … */
const GIVE_KW = 0.5;
/** … and having it back where a rack is not among the busiest is worth more than any saving by it. */
const RETURN_KW = 5;
const WEIGHT_FULL_PCT = 100;

type Modelled = Pick<PredictiveRack, "model" | "recent_age_ms">;

/** Why a rack's model cannot be planned with; null: it can. */
function modelTrouble({ model, recent_age_ms }: Modelled): "learning" | "stale" | "poor" | null {
  if (!model.recent || model.periods < PERIODS_MIN) return "learning";
  if (recent_age_ms > RECENT_MAX_MS) return "stale";
  const fields = Object.keys(ERROR_MAX) as (keyof typeof ERROR_MAX)[];
  return fields.some((field) => model.one_step[field] > ERROR_MAX[field]) ? "poor" : null;
}

/** Why the whole site cannot be planned; null: it can. */
export function siteTrouble(racks: readonly Modelled[]): string | null {
  const troubles = racks.map(modelTrouble);
  const good = troubles.filter((trouble) => trouble === null).length;
  if (racks.length > 0 && good >= GOOD_SHARE_MIN * racks.length) return null;
  const learning = troubles.filter((trouble) => trouble === "learning").length;
  const why = learning * 2 > racks.length - good ? "model_learning" : "model_poor";
  return `${why}: ${good} of ${racks.length} racks are predicted well enough`;
}

/** A rack that the plan counts with. */
interface Part {
  rack: PredictiveRack;
  recent: Observation;
  at: Operation;
  now: Evaluated;
  /** What each effect may be at most. */
  most: Effects;
  /** What warmer supply air may bring its inlet to: above `most.inlet` where the rack's heat is its own trouble. */
  bearable_c: number;
  /** Whether its p95 is predicted well enough to choose its window and its traffic. */
  paced: boolean;
  curves: Map<Axis, AxisCurve & { columns: number[] }>;
  traffic: {
    per_token: Effects & { cost: number };
    taker_share: number;
    donor_tokens_ps: number;
    /** Gives for no good reason any more. */
    returns: boolean;
    column: number;
  };
}

/**
 * One step of the receding horizon. The racks' dynamics (minutes) are fast against the load's (hours), so the plan is
 * the steady state under the expected load, approached by no more than a trusted step per interval. Cost is evaluated
 * with the full model along each device's axis and enters as convex pieces; limits enter linearised. Racks are coupled
 * by the supply air and by the traffic that they hand to each other.
 */
export function planPredictive(
  state: PredictiveState,
  config: PredictiveConfig,
  solve: Solver,
): PredictivePlan {
  const rejected: Record<string, number> = {};
  const refuse = (reason: string) => {
    rejected[reason] = (rejected[reason] ?? 0) + 1;
  };
  const inlet_limit_c = config.limits.inlet_c - config.inlet_margin_c;
  const isHot = ({ model }: PredictiveRack) =>
    model.recent !== null && model.recent.inlet_c > inlet_limit_c - SHARED_BELOW_C;
  const diverted = rowsOf(state.racks.filter(isHot)).size > 0 ? DIVERTED_GROWTH : 1;
  const parts: Part[] = [];
  const blind: PredictiveRack[] = [];
  for (const rack of state.racks) {
    const trouble = modelTrouble(rack);
    if (trouble) refuse(`rack_model_${trouble}`);
    else if (rack.held) refuse(`rack_${rack.held}`);
    if (trouble) blind.push(rack);
    else {
      const { mean_tokens_ps, peak_tokens_ps } = rack.load;
      const load = { mean_tokens_ps, peak_tokens_ps: peak_tokens_ps * diverted };
      parts.push(partOf({ ...rack, load }, state, config));
    }
  }
  const excessive = parts.filter(({ now, most }) => now.effects.inlet > most.inlet + LONE_EXCESS_C);
  const shared = rowsOf([...excessive.map(({ rack }) => rack), ...blind.filter(isHot)]);
  const isLone = ({ rack, now, most }: Part) =>
    now.effects.inlet - most.inlet > (rack.held ? 0 : LONE_EXCESS_C) && !shared.has(rack.row);
  for (const part of parts) if (!isLone(part)) part.bearable_c = part.most.inlet;
  shareTraffic(parts, state, FILL_SHARE * config.capacity_tokens_ps);

  const lp = createLp();
  const { supply } = config;
  const low = state.supply.open ? Math.max(supply.min - state.supply.setpoint_c, -supply.step_down_max) : 0;
  const high = state.supply.open ? Math.min(supply.max - state.supply.setpoint_c, supply.step_max) : 0;
  const warmer = parts.map((part) => withSupply(part, 1));
  const per_k = warmer.reduce((sum, { cost_kw }, i) => sum + cost_kw - parts[i]!.now.cost_kw, 0);
  const s = lp.column(per_k, Math.min(0, low), Math.max(0, high));
  const slacks: { column: number; name: keyof Effects; rack_id: string }[] = [];
  const limit = (name: keyof Effects, most: number, terms: [number, number][], rack_id: string) => {
    const near = lp.column(NEAR_PENALTY[name], 0, NEAR[name]);
    const far = lp.column(PENALTY[name], 0, Number.POSITIVE_INFINITY);
    lp.row(Number.NEGATIVE_INFINITY, most, [...terms, [near, -1], [far, -1]]);
    slacks.push({ column: far, name, rack_id });
  };

  const moved_cost = parts.reduce(
    (sum, { traffic }) => sum + traffic.taker_share * traffic.per_token.cost,
    0,
  );
  const moved = lp.column(moved_cost, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const balance: [number, number][] = [[moved, 1]];
  for (const [i, part] of parts.entries()) {
    const terms = Object.fromEntries(EFFECTS.map((name) => [name, []])) as unknown as Record<
      keyof Effects,
      [number, number][]
    >;
    const room = { ...part.most };
    for (const name of EFFECTS) room[name] -= part.now.effects[name];
    const by_supply: [number, number][] = [[s, warmer[i]!.effects.inlet - part.now.effects.inlet]];
    // One rack's heat that its row does not share is for its own devices: it does not cool the whole site.
    if (part.bearable_c > part.most.inlet) {
      limit("inlet", Math.max(0, part.bearable_c - part.now.effects.inlet), by_supply, part.rack.rack_id);
    } else terms.inlet.push(...by_supply);
    for (const curve of part.curves.values()) {
      curve.columns = curve.pieces.map(({ cost, width }) => lp.column(cost, 0, width));
      for (const name of EFFECTS) {
        room[name] -= curve.per[name] * curve.low;
        for (const column of curve.columns) terms[name].push([column, curve.per[name]]);
      }
    }
    const { traffic } = part;
    if (traffic.taker_share > 0)
      for (const name of EFFECTS) terms[name].push([moved, traffic.per_token[name] * traffic.taker_share]);
    if (traffic.donor_tokens_ps > 0) {
      const [least, most] = weightRange(part, config);
      const held_kw = traffic.returns ? RETURN_KW : GIVE_KW;
      const cost = traffic.per_token.cost * traffic.donor_tokens_ps - held_kw;
      traffic.column = lp.column(cost, traffic.returns ? 0 : least, most);
      balance.push([traffic.column, traffic.donor_tokens_ps]);
      for (const name of EFFECTS)
        terms[name].push([traffic.column, traffic.per_token[name] * traffic.donor_tokens_ps]);
    }
    for (const name of EFFECTS) {
      if (name === "latency" && !part.paced) continue;
      limit(name, room[name], terms[name], part.rack.rack_id);
    }
  }
  lp.row(0, 0, balance);
  for (const rack of blind) {
    if (!shared.has(rack.row) || !(rack.model.recent && rack.model.recent.inlet_c > inlet_limit_c)) continue;
    limit("inlet", inlet_limit_c - rack.model.recent!.inlet_c, [[s, INLET_PER_SUPPLY]], rack.rack_id);
  }

  const solution = solve(lp, config.time_limit_s);
  const solver = { status: solution.status, iterations: solution.iterations, columns: lp.columns };
  if (solution.status !== "optimal") {
    const explanations = [`the solver ended with ${solution.status}: nothing is changed on racks`];
    return { proposals: [], rejected, explanations, solver };
  }
  const explanations = unmet(slacks, solution.values);

  const wishes = parts.map((part) => wishOf(part, solution.values));
  const taken_ps = solution.values[moved]!;
  let supply_change = solution.values[s]!;
  const accepted = parts.map((part, i) => {
    const choice = retreat(part, wishes[i]!, taken_ps, supply_change, state.scorer);
    if (choice.refused) refuse(choice.refused);
    return choice.to;
  });
  // What was scaled back rack by rack may no longer allow the warmer supply that the plan as a whole did.
  if (supply_change > 0) {
    const hot = parts.some((part, i) => {
      const after = predictAt(part, accepted[i]!, supply_change).effects.inlet;
      return after > part.bearable_c + 0.05 && after > part.now.effects.inlet;
    });
    if (hot) supply_change = 0;
  }
  const proposals = [
    ...supplyProposal(parts, state, config, supply_change, per_k),
    ...parts.flatMap((part, i) => rackProposals(part, accepted[i]!, supply_change, state, config)),
    ...[...blind, ...parts.filter(({ paced }) => !paced).map(({ rack }) => rack)].flatMap((rack) =>
      reliefOf(rack, state, config),
    ),
  ];
  return { proposals, rejected, explanations, solver };
}

function partOf(rack: PredictiveRack, state: PredictiveState, config: PredictiveConfig): Part {
  const { model, setpoints } = rack;
  const recent = model.recent!;
  // A device that its own protection turns faster than was asked stands where it is measured.
  const standing = (asked: number | null, measured: number) =>
    asked === null || Math.abs(measured - asked) > 2 ? measured : asked;
  const at: Operation = {
    fan_pct: standing(setpoints.fan_rpm_pct, recent.fan_pct),
    pump_pct: standing(setpoints.pump_rpm_pct, recent.pump_pct),
    batch_window_ms: setpoints.batch_window_ms ?? config.batch_window_ms,
    supply_c: state.supply.setpoint_c,
    tokens_ps: rack.load.mean_tokens_ps,
    neighbour_c: rack.neighbour_c,
  };
  const { limits, inlet_margin_c } = config;
  const reading_c = Math.sqrt(config.readings_per_sample) * model.scatter.inlet_c;
  const scatter_c = Math.max(
    inlet_margin_c + INLET_SIGMAS * model.scatter.inlet_c,
    READING_SIGMAS * reading_c,
  );
  const most: Effects = {
    inlet: limits.inlet_c - scatter_c - 2 * model.inletDeviation(at),
    latency: limits.latency_p95_ms - LATENCY_SIGMAS * model.scatter.latency_p95_ms,
    rack_kw: limits.rack_kw,
  };
  const part: Part = {
    ...{ rack, recent, at, most, paced: model.one_step.latency_p95_ms <= LATENCY_ERROR_MAX_MS },
    bearable_c: limits.inlet_c - inlet_margin_c - BEARABLE_SIGMAS * model.scatter.inlet_c,
    now: { cost_kw: 0, effects: { inlet: 0, latency: 0, rack_kw: 0 } },
    curves: new Map(),
    traffic: {
      per_token: { cost: 0, inlet: 0, latency: 0, rack_kw: 0 },
      taker_share: 0,
      donor_tokens_ps: 0,
      returns: false,
      column: -1,
    },
  };
  part.now = predictAt(part, {}, 0);
  // Where the usual window has no margin left, it stays the usual one: narrower costs energy, wider breaks the limit.
  const usual = predictAt(part, { batch_window_ms: config.batch_window_ms }, 0).effects.latency;
  const last = limits.latency_p95_ms - LATENCY_LAST_SIGMAS * model.scatter.latency_p95_ms;
  most.latency = Math.max(most.latency, Math.min(usual, last));
  if (rack.held && rack.held !== "persistent") return part;
  for (const axis of AXES) {
    if (!state.open(rack.rack_id, axis) || (axis === "batch_window_ms" && !part.paced)) continue;
    const curve = curveOf(part, axis, config);
    if (curve) part.curves.set(axis, { ...curve, columns: [] });
  }
  return part;
}

/** A rack's new positions; what is left out stays. `load_factor` is what traffic does to the load. */
type Choice = Partial<Record<Axis, number>> & { load_factor?: number };

const SCORED_SPEEDS = (["fan_rpm_pct", "pump_rpm_pct"] as const).map(
  (axis) => [axis, FEATURES.indexOf(axis)] as const,
);

const OPERATION_FIELD: Record<Axis, "fan_pct" | "pump_pct" | "batch_window_ms"> = {
  fan_rpm_pct: "fan_pct",
  pump_rpm_pct: "pump_pct",
  batch_window_ms: "batch_window_ms",
};

function operationAt({ at }: Part, choice: Choice, supply_change: number): Operation {
  const operation = { ...at, supply_c: at.supply_c + supply_change };
  for (const axis of AXES)
    operation[OPERATION_FIELD[axis]] = choice[axis] ?? operation[OPERATION_FIELD[axis]];
  operation.tokens_ps *= choice.load_factor ?? 1;
  return operation;
}

function predictAt(part: Part, choice: Choice, supply_change: number): Evaluated {
  const { model, load } = part.rack;
  const predict = (operation: Operation): Outlook => model.predict(operation)!;
  const peak = load.peak_tokens_ps * (choice.load_factor ?? 1);
  return evaluate(predict, operationAt(part, choice, supply_change), peak);
}

const withSupply = (part: Part, by_c: number): Evaluated => predictAt(part, {}, by_c);

function curveOf(part: Part, axis: Axis, { actuators }: PredictiveConfig): AxisCurve | null {
  const { min, max, step_max } = actuators[axis];
  const here = part.at[OPERATION_FIELD[axis]];
  const reach = Math.min(TRUST[axis], step_max);
  // Waiting less is safe however far it goes.
  const reach_down = axis === "batch_window_ms" ? step_max : reach;
  const down = Math.max(min, here - reach_down) - here;
  const up = Math.min(max, here + reach) - here;
  // Outside its limits (a device that controls itself may be) it can only be brought back by its own control.
  if (down > 0 || up < 0) return null;
  // A rack in persistent deviation is left alone, but for what can only help it: more coolant, less waiting.
  const held = part.rack.held !== null;
  const low = held && axis !== "batch_window_ms" ? 0 : down;
  const high = held && axis !== "pump_rpm_pct" ? 0 : up;
  if (high - low < 1e-6) return null;
  const stops = [low, low / 2, 0, high / 2, high].filter((x, k, all) => k === 0 || x > all[k - 1]! + 1e-9);
  const seen = stops.map((x) => predictAt(part, { [axis]: here + x }, 0));
  const points = stops.map((x, k) => {
    const moving = (MOVE_KW[axis] * Math.abs(x)) / reach;
    return [x, seen[k]!.cost_kw - part.now.cost_kw + moving] as const;
  });
  const per = perUnit(seen[0]!.effects, seen.at(-1)!.effects, high - low);
  return { low, pieces: convexPieces(points), per };
}

/**
 * Who may give traffic away, and which share of it everyone else would get: the router fills free capacity evenly. A
 * rack of reduced weight takes nothing for others, so only those that would be the busiest give, and the rest takes
 * its traffic back.
 */
function shareTraffic(parts: readonly Part[], state: PredictiveState, capacity_tokens_ps: number): void {
  const movable = parts.filter((part) => !part.rack.held);
  if (movable.length < 3) return;
  const weightOf = (part: Part) => (part.rack.setpoints.routing_weight_pct ?? WEIGHT_FULL_PCT) / 100;
  const wholeLoad = (part: Part) => part.at.tokens_ps / weightOf(part);
  const mean_ps = movable.reduce((sum, part) => sum + wholeLoad(part), 0) / movable.length;
  let room_sum = 0;
  for (const part of parts) {
    const more = LOAD_STEP_TOKENS_PS / Math.max(1, part.at.tokens_ps);
    const loaded = predictAt(part, { load_factor: 1 + more }, 0);
    const per = perUnit(part.now.effects, loaded.effects, LOAD_STEP_TOKENS_PS);
    const cost = (loaded.cost_kw - part.now.cost_kw) / LOAD_STEP_TOKENS_PS;
    part.traffic.per_token = { ...per, cost };
    const weight = weightOf(part);
    const gives = part.paced && wholeLoad(part) > DONOR_EXCESS * mean_ps;
    part.traffic.returns = weight < 1 && !gives;
    if ((gives || weight < 1) && !part.rack.held && state.open(part.rack.rack_id, "routing_weight_pct"))
      part.traffic.donor_tokens_ps = wholeLoad(part);
    if (!gives && weight >= 1 && part.paced) {
      part.traffic.taker_share = Math.max(0, capacity_tokens_ps - part.at.tokens_ps);
      room_sum += part.traffic.taker_share;
    }
  }
  for (const { traffic } of parts) {
    if (room_sum > 0) traffic.taker_share /= room_sum;
    else if (!traffic.returns) traffic.donor_tokens_ps = 0;
    // Where nobody takes, the router leaves all traffic where it is.
    else traffic.per_token = { cost: 0, inlet: 0, latency: 0, rack_kw: 0 };
  }
}

/** By how much a donor's weight may change, as a share. */
function weightRange({ rack, traffic }: Part, { actuators }: PredictiveConfig): [number, number] {
  const { min, step_max } = actuators.routing_weight_pct;
  const now = rack.setpoints.routing_weight_pct ?? WEIGHT_FULL_PCT;
  const reach = Math.min(TRUST.routing_weight_pct, step_max);
  return [
    (Math.max(min, now - Math.min(step_max, 2 * reach)) - now) / 100,
    (Math.min(WEIGHT_FULL_PCT, now + (traffic.returns ? step_max : reach)) - now) / 100,
  ];
}

/** Rows of which several racks are among these: whatever is thought of each one's sensor, that is the air. */
function rowsOf(hot: readonly PredictiveRack[]): Set<string> {
  const by_row = Map.groupBy(hot, (rack) => rack.row);
  return new Set([...by_row].filter(([, members]) => members.length >= CORROBORATION).map(([row]) => row));
}

function unmet(
  slacks: readonly { column: number; name: keyof Effects; rack_id: string }[],
  values: Float64Array,
) {
  const worst = new Map<keyof Effects, { count: number; most: number; rack_id: string }>();
  for (const { column, name, rack_id } of slacks) {
    const by = values[column]!;
    if (by < 0.05) continue;
    const seen = worst.get(name) ?? { count: 0, most: 0, rack_id };
    worst.set(name, {
      count: seen.count + 1,
      most: Math.max(seen.most, by),
      rack_id: by > seen.most ? rack_id : seen.rack_id,
    });
  }
  return [...worst].map(
    ([name, { count, most, rack_id }]) =>
      `infeasible within one step: ${WORDS[name]} of ${count} racks stays above its planned limit, by up to ${most.toFixed(1)} (${rack_id}); the plan comes as close as it can, cooling first`,
  );
}

/** Where the program wants a rack's devices. */
function wishOf(part: Part, values: Float64Array): Choice & { weight_change?: number } {
  const wish: Choice & { weight_change?: number } = {};
  for (const [axis, curve] of part.curves) {
    const change = curve.low + curve.columns.reduce((sum, column) => sum + values[column]!, 0);
    if (Math.abs(change) >= DEADBAND[axis]) wish[axis] = part.at[OPERATION_FIELD[axis]] + change;
  }
  if (part.traffic.column >= 0) {
    const change = values[part.traffic.column]!;
    const least = part.traffic.returns ? 0.1 : DEADBAND.routing_weight_pct;
    if (Math.abs(change) * 100 >= least) wish.weight_change = change;
  }
  return wish;
}

/** Linear pieces err: the full model, and D, must agree with the step, or with a smaller one. */
function retreat(
  part: Part,
  wish: Choice & { weight_change?: number },
  taken_ps: number,
  supply_change: number,
  scorer: Scorer,
): { to: Choice & { weight_change?: number }; refused: string | null } {
  const axes = AXES.filter((axis) => wish[axis] !== undefined);
  if (axes.length === 0) return { to: wish, refused: null };
  const gained_ps =
    part.traffic.taker_share * taken_ps + (wish.weight_change ?? 0) * part.traffic.donor_tokens_ps;
  const load_factor = 1 + gained_ps / Math.max(1, part.at.tokens_ps);
  let refused: string | null = null;
  for (const share of RETREATS) {
    const to: Choice & { weight_change?: number } = { ...wish, load_factor };
    for (const axis of axes) {
      const here = part.at[OPERATION_FIELD[axis]];
      to[axis] = Math.round((here + share * (wish[axis]! - here)) * 10) / 10;
    }
    const broken = firstBroken(part, to, Math.max(0, supply_change), scorer);
    if (!broken) return { to, refused: share < 1 ? `${refused}_scaled` : null };
    refused = broken;
  }
  const { weight_change } = wish;
  return { to: weight_change === undefined ? {} : { weight_change }, refused };
}

function firstBroken(part: Part, to: Choice, supply_change: number, scorer: Scorer): string | null {
  const { effects } = predictAt(part, to, supply_change);
  const { now, most } = part;
  const worse = (name: keyof Effects, by: number) =>
    effects[name] > most[name] + by && effects[name] > now.effects[name] + by;
  if (worse("inlet", 0.1)) return "inlet";
  if (part.paced && worse("latency", 2)) return "latency";
  if (worse("rack_kw", 0.02)) return "rack_kw";
  const cools = (to.fan_rpm_pct ?? 0) > part.at.fan_pct || now.effects.inlet > most.inlet;
  return cools ||
    deviationAfter(part, to, supply_change, scorer) < DEVIATION_SHARE_MAX * scorer.model.tau_fast
    ? null
    : "deviation";
}

/**
 * Where the rack's average D will be. As D² is the squared distance of the mean state to the nearest centre plus what
 * noise adds, the change of the former carries over; it never exceeds the length of the change.
 */
function deviationAfter(part: Part, to: Choice, supply_change: number, scorer: Scorer): number {
  const before = featuresOf(part.recent, null);
  const after = featuresOf(part.recent, {
    operation: operationAt(part, to, supply_change),
    from: part.rack.model.predict(part.at)!,
    to: part.rack.model.predict(operationAt(part, to, supply_change))!,
  });
  // Agents do not score a commanded speed, so it adds nothing to D however far it goes.
  for (const [axis, feature] of SCORED_SPEEDS) {
    const commanded = part.rack.setpoints[axis] !== null;
    if (!commanded && to[axis] === undefined) continue;
    if (commanded) before[feature] = Number.NaN;
    after[feature] = Number.NaN;
  }
  const mean_now = scorer.score(before).d;
  const mean_then = scorer.score(after).d;
  const level = part.rack.d_level ?? mean_now;
  const squared = level * level + mean_then * mean_then - mean_now * mean_now;
  for (const [, feature] of SCORED_SPEEDS) before[feature] = after[feature] = 0;
  return Math.min(Math.sqrt(Math.max(0, squared)), level + scorer.riseAtMost(before, after));
}

function featuresOf(
  recent: Observation,
  change: { operation: Operation; from: Outlook; to: Outlook } | null,
): Float64Array {
  const moved = (field: "inlet_c" | "outlet_c" | "pdu_kw" | "gpu_kw" | "latency_p95_ms") =>
    recent[field] + (change ? change.to[field] - change.from[field] : 0);
  return toFeatures({
    interval_s: 1,
    inlet_c: moved("inlet_c"),
    outlet_c: moved("outlet_c"),
    pdu_kw: moved("pdu_kw"),
    gpu_energy_j: moved("gpu_kw") * 1000,
    tokens_ps: recent.tokens_ps,
    latency_p95_ms: moved("latency_p95_ms"),
    queue_depth: (recent.queue_depth * moved("latency_p95_ms")) / Math.max(1, recent.latency_p95_ms),
    fan_rpm_pct: change ? change.operation.fan_pct : recent.fan_pct,
    pump_rpm_pct: change ? change.operation.pump_pct : recent.pump_pct,
  });
}

function rackProposals(
  part: Part,
  to: Choice & { weight_change?: number },
  supply_change: number,
  state: PredictiveState,
  config: PredictiveConfig,
): Proposal[] {
  const { rack_id, setpoints } = part.rack;
  const predicted = outlookOf(part, to, supply_change, state.scorer);
  const proposals: Proposal[] = [];
  for (const axis of AXES) {
    const value = to[axis];
    if (value === undefined) continue;
    const { min, max } = config.actuators[axis];
    const alone = predictAt(part, { [axis]: value }, 0);
    proposals.push({
      rack_id,
      target: axis,
      from: setpoints[axis],
      to: Math.round(Math.max(min, Math.min(max, value)) * 10) / 10,
      predicted_saving_kw: part.now.cost_kw - alone.cost_kw,
      predicted,
      reason: reasonOf(axis, value, part),
    });
  }
  if (to.weight_change !== undefined) {
    const now = setpoints.routing_weight_pct ?? WEIGHT_FULL_PCT;
    const wanted = Math.round((now + 100 * to.weight_change) * 10) / 10;
    const { min, max } = config.actuators.routing_weight_pct;
    proposals.push({
      rack_id,
      target: "routing_weight_pct",
      from: setpoints.routing_weight_pct,
      to: Math.max(min, Math.min(max, wanted)),
      predicted_saving_kw: -to.weight_change * part.traffic.donor_tokens_ps * part.traffic.per_token.cost,
      predicted,
      reason: "traffic share of the plan: load is evened out where it costs less energy or latency",
    });
  }
  return proposals;
}

function reasonOf(axis: Axis, value: number, part: Part): string {
  const up = value > part.at[OPERATION_FIELD[axis]];
  if (axis === "batch_window_ms")
    return up
      ? "wider batching window: fewer, fuller batches, p95 within its margin"
      : "narrower batching window: p95 comes first";
  if (axis === "fan_rpm_pct")
    return up
      ? "more air, as the plan's limits ask for"
      : "less air: the fan's power falls with the cube of its speed";
  return up
    ? "more coolant: heat to the efficient water side"
    : "less coolant: the pump's power falls with the cube of its speed";
}

/** Nobody can say how long a rack's window may be while its model is not trusted: it goes back to the usual one. */
function reliefOf(rack: PredictiveRack, state: PredictiveState, config: PredictiveConfig): Proposal[] {
  const target = "batch_window_ms";
  const { recent } = rack.model;
  const window_ms = rack.setpoints[target];
  const untouched = rack.held !== null && rack.held !== "persistent";
  if (untouched || !recent || window_ms === null || !state.open(rack.rack_id, target)) return [];
  const { step_max } = config.actuators[target];
  const to = Math.max(config.batch_window_ms, window_ms - step_max);
  if (to >= window_ms) return [];
  const { inlet_c, latency_p95_ms, pdu_kw } = recent;
  return [
    {
      ...{ rack_id: rack.rack_id, target, from: window_ms, to, predicted_saving_kw: 0 },
      predicted: {
        ...{ inlet_c, latency_p95_ms, d: rack.d_level ?? 0, power_rise_kw: RELIEF_POWER_SHARE * pdu_kw },
      },
      reason: "usual batching window: the rack's model is not trusted",
    },
  ];
}

function outlookOf(part: Part, to: Choice, supply_change: number, scorer: Scorer): Prediction {
  const now = part.rack.model.predict(part.at)!;
  const outlook = part.rack.model.predict(operationAt(part, to, supply_change))!;
  return {
    inlet_c: outlook.inlet_c,
    latency_p95_ms: outlook.latency_p95_ms,
    d: deviationAfter(part, to, supply_change, scorer),
    power_rise_kw: Math.max(0, outlook.pdu_kw - now.pdu_kw),
  };
}

function supplyProposal(
  parts: readonly Part[],
  state: PredictiveState,
  config: PredictiveConfig,
  change: number,
  per_k: number,
): Proposal[] {
  if (Math.abs(change) < DEADBAND.supply_c) return [];
  const { min, max } = config.supply;
  const now_c = state.supply.setpoint_c;
  const to = Math.round(Math.max(Math.min(min, now_c), Math.min(max, now_c + change)) * 100) / 100;
  const outlooks = parts.map((part) => outlookOf(part, {}, change, state.scorer));
  const most = (pick: (outlook: Prediction) => number) => Math.max(0, ...outlooks.map(pick));
  return [
    {
      rack_id: null,
      target: "supply_c",
      from: state.supply.setpoint_c,
      to,
      predicted_saving_kw: -per_k * change,
      predicted: {
        inlet_c: most((o) => o.inlet_c),
        latency_p95_ms: most((o) => o.latency_p95_ms),
        d: most((o) => o.d),
      },
      reason:
        change > 0
          ? "warmer supply air: the cooling plant works more efficiently"
          : "cooler supply air: inlets come first",
    },
  ];
}
