import type { RackTarget } from "../../shared/contracts/action.ts";
import type { ActuatorLimits, GuardrailConfig } from "../../shared/contracts/agent-config.ts";
import type { Actuators } from "../../shared/contracts/config.ts";
import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { MmsState } from "../../shared/contracts/score.ts";
import type { Departure } from "../../shared/ims/sensor-health.ts";
import type { Heat } from "./heat.ts";

/**
 * The fast guardrail: a pure state machine from (readings, score, limits, clock) to intents.
 *
 * Priorities, the first that holds decides: the inlet at or near its limit; a fault (blind, or equipment that is not
 * what it was); MMS persistent, D ≥ tau_fast; and only then efficiency, whose wishes are refused while protecting.
 * A deviation towards the cold is no reason to cool: faults count while the rack is warm, D and MMS while it is hot.
 * Rungs: 1 pre-cool (pump, fan), 2 admission (pause low-priority work), 3 routing (send traffic elsewhere), 4 power cap.
 */
export interface GuardInput {
  now_ms: number;
  /** false: intents are advice only. */
  closed_loop: boolean;
  /** null: no believable reading this tick. */
  inlet_c: number | null;
  /**
   * The hottest believable reading since the last tick: the mean of a window hides the one that crosses the limit.
   * Being near the limit is judged by the mean, because the margin is an early warning that noise must not set off.
   */
  hottest_inlet_c: number | null;
  /** How far inlet and outlet are above nominal operation. */
  heat: Heat;
  d: number | null;
  tau_fast: number | null;
  mms_state: MmsState;
  /** What supervision says of the rack as a whole; null: it is as it was learnt. */
  departure: Departure | null;
  /** Setpoint in force per target; null: automatic. */
  setpoints: Readonly<Record<RackTarget, number | null>>;
  /** Measured speeds, where a relative step starts from when the device is automatic. */
  fan_rpm_pct: number | null;
  pump_rpm_pct: number | null;
  pdu_kw: number | null;
  /**
   * Targets whose setpoint the guardrail made: only these are its to hand back. One whose setpoint is null here was
   * driven without an answer, so that the setpoint may be in force.
   */
  owned: readonly RackTarget[];
  /** Targets whose device did not do what it was last asked. */
  failing: readonly RackTarget[];
}

/** Devices whose speed is measured. */
type Driven = "fan_rpm_pct" | "pump_rpm_pct";

export interface GuardState {
  blind_ticks: number;
  /** Consecutive ticks with a sign of a fault. */
  faulty_ticks: number;
  /** Whose speed was ever read: a sensor that is not there cannot fail. */
  speeds_seen: readonly Driven[];
  /** Since when the inlet has been at its limit or close below it after having been over it; null: it is not. */
  over_since_ms: number | null;
  /** Whether intents were carried out at the last tick. */
  driving: boolean;
  /** Consecutive ticks of D ≥ tau_fast on a hot rack: one alone is the p95 that nominal operation also shows. */
  deviating_ticks: number;
  /** When the rack was last seen to need protection; null: never. */
  alarmed_at_ms: number | null;
  last_release_ms: number | null;
  /** Calm time asked for before a release; doubles when a release turns out too early. */
  hold_ms: number;
  last_action_ms: Readonly<Partial<Record<RackTarget, number>>>;
}

/** In rising priority. */
export const SEVERITIES = [
  "none",
  "deviation",
  "persistent",
  "fault",
  "blind",
  "near_limit",
  "over_limit",
] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Intent {
  kind: "pre_cool" | "admission" | "routing" | "power_cap" | "release";
  target: RackTarget;
  /** null: back to the device's own control. */
  value: number | null;
  emergency: boolean;
  severity: Severity;
  reason: string;
}

export interface GuardContext {
  config: GuardrailConfig;
  limits: Limits;
  actuators: Actuators;
  /** Targets that a device is there for; for any other there is only advice. */
  driven: readonly RackTarget[];
  /** Targets whose device only holds what it is told, so that there is no control of its own to give it back to. */
  without_own_control: readonly RackTarget[];
}

/** Inlet or outlet this many standard deviations above nominal make a rack hot. */
const HOT_Z = 2;
/** From here on a fault is answered before it makes the rack hot. */
const WARM_Z = 1;
/**
 * With an inlet warmer than this the rack breathes recirculated air, and more rack airflow draws more of it
 * (design §6); with a cooler one, a hot outlet means too little air.
 */
const FAN_INLET_Z_MAX = 1;
const DEVIATING_TICKS = 2;
const FAULTY_TICKS = 3;
/** Over the limit for this long, with all other measures taken or under way, power is capped. */
const OVER_PATIENCE_S = 30;
const PRE_COOL_PUMP_PCT = 15;
const PRE_COOL_FAN_PCT = 5;
const EMERGENCY_SPACING_S = 10;
const HOLD_MAX_S = 1_800;
const SPEEDS: readonly Driven[] = ["fan_rpm_pct", "pump_rpm_pct"];
/** Last measure first: what costs users most is given back soonest. */
const RELEASE_ORDER = [
  "power_cap_kw",
  "routing_weight_pct",
  "admission_pct",
  "pump_rpm_pct",
  "fan_rpm_pct",
] as const;

export function initialGuardState(context: GuardContext): GuardState {
  return {
    blind_ticks: 0,
    faulty_ticks: 0,
    speeds_seen: [],
    over_since_ms: null,
    driving: false,
    deviating_ticks: 0,
    alarmed_at_ms: null,
    last_release_ms: null,
    hold_ms: context.config.release_after_s * 1000,
    last_action_ms: {},
  };
}

/** The state to start with when an earlier run left setpoints behind: as alarmed, so that they are handed back. */
export function resumedGuardState(context: GuardContext, now_ms: number): GuardState {
  return { ...initialGuardState(context), alarmed_at_ms: now_ms };
}

/** While true, the rack's safety comes before anyone's wish to save energy. */
export function isProtecting(state: GuardState): boolean {
  return state.alarmed_at_ms !== null;
}

/** One tick. Returns the next state and what to do now, most urgent first; never outside the actuators' limits. */
export function guard(
  context: GuardContext,
  state: GuardState,
  input: GuardInput,
): { state: GuardState; severity: Severity; intents: Intent[] } {
  const peak_z = Math.max(input.heat.inlet_z ?? -Infinity, input.heat.outlet_z ?? -Infinity);
  const hot = peak_z >= HOT_Z;
  const counted = count(state, input, hot);
  const severity = severityOf(context, counted, input, peak_z);
  if (severity === "none") return { severity, ...calm(context, counted, input, hot) };
  const begun = counted.driving && !state.driving;
  const alarmed = sinceOver(alarm(context, counted, input.now_ms), severity, input.now_ms, begun);
  const wanted = escalation(context, alarmed, severity, input, hot);
  const intents = wanted.filter((intent) => spaced(context, alarmed, input.now_ms, intent));
  return { state: acted(alarmed, input.now_ms, intents), severity, intents };
}

function count(state: GuardState, input: GuardInput, hot: boolean): GuardState {
  const deviating = hot && input.d !== null && input.tau_fast !== null && input.d >= input.tau_fast;
  const speeds_seen = SPEEDS.filter((target) => input[target] !== null || state.speeds_seen.includes(target));
  const faulty = input.departure !== null || speeds_seen.some((target) => input[target] === null);
  return {
    ...state,
    speeds_seen,
    driving: input.closed_loop,
    blind_ticks: input.inlet_c === null ? state.blind_ticks + 1 : 0,
    faulty_ticks: faulty ? state.faulty_ticks + 1 : 0,
    deviating_ticks: deviating ? state.deviating_ticks + 1 : 0,
  };
}

function severityOf(context: GuardContext, state: GuardState, input: GuardInput, peak_z: number): Severity {
  const { config, limits } = context;
  const { inlet_c } = input;
  if ((hottest(input) ?? -Infinity) >= limits.inlet_c) return "over_limit";
  if (inlet_c !== null && inlet_c >= limits.inlet_c - config.inlet_margin_c) return "near_limit";
  if (state.blind_ticks >= config.blind_ticks) return "blind";
  if (state.faulty_ticks >= FAULTY_TICKS && peak_z >= WARM_Z) return "fault";
  if (input.mms_state === "persistent" && peak_z >= HOT_Z) return "persistent";
  return state.deviating_ticks >= DEVIATING_TICKS ? "deviation" : "none";
}

/**
 * An inlet that sways around its limit is still over it. Time over it counts anew once measures are carried out: what
 * went on while the agent only advised says nothing about how far they will help.
 */
function sinceOver(state: GuardState, severity: Severity, now_ms: number, begun: boolean): GuardState {
  if (severity !== "over_limit" && severity !== "near_limit") return { ...state, over_since_ms: null };
  const since_ms = begun && state.over_since_ms !== null ? now_ms : state.over_since_ms;
  return { ...state, over_since_ms: severity === "over_limit" ? (since_ms ?? now_ms) : since_ms };
}

/** A new alarm soon after a release says that the release came too early: wait longer next time. */
function alarm(context: GuardContext, state: GuardState, now_ms: number): GuardState {
  const { last_release_ms } = state;
  const early = last_release_ms !== null && now_ms - last_release_ms < state.hold_ms;
  const hold_ms = early ? Math.min(state.hold_ms * 2, HOLD_MAX_S * 1000) : state.hold_ms;
  const base_ms = context.config.release_after_s * 1000;
  return {
    ...state,
    alarmed_at_ms: now_ms,
    last_release_ms: early ? null : last_release_ms,
    hold_ms: Math.max(hold_ms, base_ms),
  };
}

/** What this severity calls for, given what is in force already. */
function escalation(
  context: GuardContext,
  state: GuardState,
  severity: Severity,
  input: GuardInput,
  hot: boolean,
): Intent[] {
  const reason = reasonOf(context, severity, input);
  const intents: Intent[] = [];
  const add = (kind: Intent["kind"], target: RackTarget, value: number | null, emergency: boolean) => {
    if (value !== null) intents.push({ kind, target, value, emergency, severity, reason });
  };
  const over = severity === "over_limit";
  const limit_near = severity === "near_limit" || over;
  const pump = raise(context, "pump_rpm_pct", PRE_COOL_PUMP_PCT, input);
  const admission = lower(context, "admission_pct", input);
  const routing = lower(context, "routing_weight_pct", input);
  add("pre_cool", "pump_rpm_pct", pump, over);
  const surplus = surplusAir(context, severity, input);
  if (surplus) intents.push(surplus);
  if (fanHelps(severity, input)) {
    add("pre_cool", "fan_rpm_pct", raise(context, "fan_rpm_pct", PRE_COOL_FAN_PCT, input), over);
  }
  const pump_exhausted = spent(context, input, "pump_rpm_pct", pump);
  const lasting = severity === "persistent" || severity === "fault";
  if (limit_near || (lasting && pump_exhausted) || (severity === "fault" && hot)) {
    add("admission", "admission_pct", admission, over);
  }
  if (limit_near) add("routing", "routing_weight_pct", routing, over);
  const exhausted =
    pump_exhausted &&
    spent(context, input, "admission_pct", admission) &&
    spent(context, input, "routing_weight_pct", routing);
  if (capIsDue(context, state, severity, input, exhausted)) {
    // The spacing of an emergency would take a rack to its lowest cap before the first step can show in its inlet.
    add("power_cap", "power_cap_kw", cap(context, input), false);
  }
  return intents;
}

/** Nothing more is to be had of a target: it is at its limit, its device fails, or there is none. It is asked all the same. */
function spent(context: GuardContext, input: GuardInput, target: RackTarget, next: number | null): boolean {
  if (next === null) return true;
  return input.closed_loop && (!context.driven.includes(target) || input.failing.includes(target));
}

/** The last and costliest measure: over the limit for a while, or close to it with nothing else left to do. */
function capIsDue(
  context: GuardContext,
  state: GuardState,
  severity: Severity,
  { now_ms, failing }: GuardInput,
  exhausted: boolean,
): boolean {
  if (severity === "over_limit" && state.over_since_ms !== null) {
    return now_ms - state.over_since_ms >= OVER_PATIENCE_S * 1000;
  }
  if (severity !== "near_limit" || !exhausted) return false;
  // What is asked in vain, over and over, is not waited for.
  const acted_ms = (["pump_rpm_pct", "admission_pct", "routing_weight_pct"] as const)
    .filter((target) => context.driven.includes(target) && !failing.includes(target))
    .map((target) => state.last_action_ms[target] ?? -Infinity);
  return now_ms - Math.max(...acted_ms) >= context.config.action_spacing_s * 1000;
}

function fanHelps(severity: Severity, input: GuardInput): boolean {
  if (severity === "blind") return true;
  if (severity === "near_limit" || severity === "over_limit") return false;
  return input.heat.inlet_z !== null && input.heat.inlet_z < FAN_INLET_Z_MAX;
}

/**
 * A fan that the guardrail turned up for a fault draws recirculated air once the fault is over: its rack then looks hot
 * by that alone, for ever. With an outlet below nominal there is air to spare, so the fan goes back to its own control.
 */
function surplusAir({ config, limits }: GuardContext, severity: Severity, input: GuardInput): Intent | null {
  const { inlet_z, outlet_z } = input.heat;
  const owned = input.owned.includes("fan_rpm_pct") && input.setpoints.fan_rpm_pct !== null;
  if (!owned || inlet_z === null || outlet_z === null || input.inlet_c === null) return null;
  if (inlet_z < FAN_INLET_Z_MAX || outlet_z >= 0) return null;
  if ((hottest(input) ?? Infinity) >= limits.inlet_c - config.inlet_margin_c) return null;
  const reason = "the inlet is warm but the outlet is not: less air draws less of it from the hot aisle";
  return { kind: "release", target: "fan_rpm_pct", value: null, emergency: false, severity, reason };
}

/** The next higher speed; null if the device is at its limit already. */
function raise(context: GuardContext, target: Driven, step: number, input: GuardInput): number | null {
  const limits = context.actuators[target];
  const { max, step_max } = limits;
  const setpoint = input.setpoints[target];
  const current = setpoint ?? input[target];
  // A device whose speed cannot be read is sent to its maximum: the cool side.
  if (current === null) return max;
  const wanted = within(limits, current) + Math.min(step, step_max);
  // Rounded down, so that the step stays within its limit.
  const next = within(limits, Math.floor(wanted * 10 + 1e-6) / 10);
  return next < current || next === setpoint ? null : next;
}

/** The next lower share of work; null if it is at its limit already. */
function lower(
  context: GuardContext,
  target: "admission_pct" | "routing_weight_pct",
  input: GuardInput,
): number | null {
  const current = input.setpoints[target] ?? context.actuators[target].max;
  const next = stepDown(context.actuators[target], current);
  return next < current ? next : null;
}

/** The next lower cap; the first one starts from what the rack draws now, because a cap above it does nothing. */
function cap(context: GuardContext, input: GuardInput): number | null {
  const limits = context.actuators.power_cap_kw;
  const setpoint = input.setpoints.power_cap_kw;
  const next = stepDown(limits, setpoint ?? input.pdu_kw ?? limits.max);
  return setpoint === null || next < setpoint ? next : null;
}

/** Where someone else left a device outside its limits, the step counts from the nearest of them. */
function stepDown(limits: ActuatorLimits, current: number): number {
  const wanted = within(limits, current) - limits.step_max;
  return within(limits, Math.ceil(wanted * 10 - 1e-6) / 10);
}

function within({ min, max }: ActuatorLimits, value: number): number {
  return Math.min(max, Math.max(min, value));
}

/** No trigger: after a calm time, hand back one thing at a time, last measure first. */
function calm(
  context: GuardContext,
  state: GuardState,
  input: GuardInput,
  hot: boolean,
): { state: GuardState; intents: Intent[] } {
  const { config } = context;
  // Hot or blind is not calm while measures are in force, even where nothing more has to be done about it yet.
  if ((hot && input.owned.length > 0) || input.inlet_c === null) {
    const warm = { ...state, alarmed_at_ms: held(state, input) };
    const surplus = surplusAir(context, "none", input);
    if (!surplus || !spaced(context, state, input.now_ms, surplus)) return { state: warm, intents: [] };
    return { state: acted(warm, input.now_ms, [surplus]), intents: [surplus] };
  }
  if (state.alarmed_at_ms === null) return { state, intents: [] };
  const calm_ms = input.now_ms - state.alarmed_at_ms;
  const rested =
    state.last_release_ms === null || input.now_ms - state.last_release_ms >= config.action_spacing_s * 1000;
  if (calm_ms < state.hold_ms || !rested) return { state, intents: [] };
  const intent = nextRelease(context, input);
  if (!intent) return { state: atRest(context, state), intents: [] };
  if (!spaced(context, state, input.now_ms, intent)) return { state, intents: [] };
  return {
    state: { ...acted(state, input.now_ms, [intent]), last_release_ms: input.now_ms },
    intents: [intent],
  };
}

function held(state: GuardState, input: GuardInput): number | null {
  return state.alarmed_at_ms === null ? null : input.now_ms;
}

/** Everything is handed back; what spacing and fault detection rest on is kept. */
function atRest(context: GuardContext, state: GuardState): GuardState {
  const { speeds_seen, faulty_ticks, last_action_ms } = state;
  return { ...initialGuardState(context), speeds_seen, faulty_ticks, last_action_ms };
}

/** One whose device fails does not keep the others: it is tried again when they are handed back. */
function nextRelease(context: GuardContext, input: GuardInput): Intent | null {
  const owned = RELEASE_ORDER.filter((t) => input.owned.includes(t));
  const target = owned.find((t) => !input.failing.includes(t)) ?? owned[0];
  if (target === undefined) return null;
  const current = input.setpoints[target];
  const at_once = current === null || SPEEDS.some((speed) => speed === target);
  const value = at_once ? null : relaxed(context, target, current);
  return { kind: "release", emergency: false, severity: "none", reason: "calm: handing back", target, value };
}

/** Work comes back step by step; null, or the upper limit where the device knows no null: all of it. */
function relaxed(context: GuardContext, target: RackTarget, current: number): number | null {
  const limits = context.actuators[target];
  const next = within(limits, current) + limits.step_max;
  if (next < limits.max) return next;
  return context.without_own_control.includes(target) ? limits.max : null;
}

function spaced(context: GuardContext, state: GuardState, now_ms: number, intent: Intent): boolean {
  const last = state.last_action_ms[intent.target];
  const spacing_s = intent.emergency ? EMERGENCY_SPACING_S : context.config.action_spacing_s;
  return last === undefined || now_ms - last >= spacing_s * 1000;
}

function acted(state: GuardState, now_ms: number, intents: readonly Intent[]): GuardState {
  if (intents.length === 0) return state;
  const last_action_ms = { ...state.last_action_ms };
  for (const intent of intents) last_action_ms[intent.target] = now_ms;
  return { ...state, last_action_ms };
}

function reasonOf(context: GuardContext, severity: Severity, input: GuardInput): string {
  const celsius = (value: number | null) => (value === null ? "unknown" : `${value.toFixed(1)} °C`);
  const inlet = celsius(input.inlet_c);
  switch (severity) {
    case "over_limit":
      return `inlet ${celsius(hottest(input))} is at or above its limit of ${context.limits.inlet_c} °C`;
    case "near_limit":
      return `inlet ${inlet} is within ${context.config.inlet_margin_c} °C of its limit`;
    case "persistent":
      return `MMS calls the deviation persistent and the rack is hot (inlet ${inlet})`;
    case "deviation":
      return `D ${input.d?.toFixed(2)} ≥ tau_fast ${input.tau_fast?.toFixed(2)} and the rack is hot (inlet ${inlet})`;
    case "fault":
      return `${faultOf(input)} and the rack is warm (inlet ${inlet})`;
    case "blind":
      return "no believable inlet reading: cooling as a precaution";
    case "none":
      return "calm";
  }
}

function faultOf(input: GuardInput): string {
  if (input.departure === "relations") return "the equipment is not what was learnt of it";
  if (input.departure === "change") return "several quantities moved together faster than ever";
  const silent = SPEEDS.filter((target) => input[target] === null);
  return `the speed of ${silent.join(" and ")} cannot be read any more`;
}

function hottest({ inlet_c, hottest_inlet_c }: GuardInput): number | null {
  if (inlet_c === null || hottest_inlet_c === null) return inlet_c ?? hottest_inlet_c;
  return Math.max(inlet_c, hottest_inlet_c);
}
