import type { RackTarget } from "../../shared/contracts/action.ts";
import type { Actuators, GuardrailConfig, Limits } from "../../shared/contracts/config.ts";
import type { MmsState } from "../../shared/contracts/score.ts";
import type { Heat } from "./heat.ts";

/**
 * The fast guardrail: a pure state machine from (readings, score, limits, clock) to intents.
 *
 * Triggers (design §4): the inlet at or near its limit, MMS persistent, D ≥ tau_fast; and a blind rack.
 * A deviation towards the cold is no reason to cool: D and MMS count only while the rack is hot.
 * Rungs: 1 pre-cool (pump, fan), 2 admission (pause low-priority work), 3 routing (send traffic elsewhere).
 */
export interface GuardInput {
  now_ms: number;
  /** null: no believable reading this tick. */
  inlet_c: number | null;
  /** How far inlet and outlet are above nominal operation. */
  heat: Heat;
  d: number | null;
  tau_fast: number | null;
  mms_state: MmsState;
  /** Setpoint in force per target; null: automatic. */
  setpoints: Readonly<Record<RackTarget, number | null>>;
  /** Measured speeds, where a relative step starts from when the device is automatic. */
  fan_rpm_pct: number | null;
  pump_rpm_pct: number | null;
}

export interface GuardState {
  blind_ticks: number;
  /** Consecutive ticks of D ≥ tau_fast on a hot rack: one alone is the p95 that nominal operation also shows. */
  deviating_ticks: number;
  /** When the rack was last seen to need protection; null: never. */
  alarmed_at_ms: number | null;
  last_release_ms: number | null;
  /** Calm time asked for before a release; doubles when a release turns out too early. */
  hold_ms: number;
  last_action_ms: Readonly<Partial<Record<RackTarget, number>>>;
}

export type Severity = "none" | "deviation" | "persistent" | "near_limit" | "over_limit" | "blind";

export interface Intent {
  kind: "pre_cool" | "admission" | "routing" | "release";
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
}

/** Inlet or outlet this many standard deviations above nominal make a rack hot. */
const HOT_Z = 2;
/**
 * With an inlet warmer than this the rack breathes recirculated air, and more rack airflow draws more of it
 * (design §6); with a cooler one, a hot outlet means too little air.
 */
const FAN_INLET_Z_MAX = 1;
const DEVIATING_TICKS = 2;
const PRE_COOL_PUMP_PCT = 15;
const PRE_COOL_FAN_PCT = 5;
const EMERGENCY_SPACING_S = 10;
const HOLD_MAX_S = 1_800;

export function initialGuardState(context: GuardContext): GuardState {
  return {
    blind_ticks: 0,
    deviating_ticks: 0,
    alarmed_at_ms: null,
    last_release_ms: null,
    hold_ms: context.config.release_after_s * 1000,
    last_action_ms: {},
  };
}

/** One tick. Returns the next state and what to do now, most urgent first; never outside the actuators' limits. */
export function guard(
  context: GuardContext,
  state: GuardState,
  input: GuardInput,
): { state: GuardState; severity: Severity; intents: Intent[] } {
  const hot = Math.max(input.heat.inlet_z ?? -Infinity, input.heat.outlet_z ?? -Infinity) >= HOT_Z;
  const deviating = hot && input.d !== null && input.tau_fast !== null && input.d >= input.tau_fast;
  const counted: GuardState = {
    ...state,
    blind_ticks: input.inlet_c === null ? state.blind_ticks + 1 : 0,
    deviating_ticks: deviating ? state.deviating_ticks + 1 : 0,
  };
  const severity = severityOf(context, counted, input, hot);
  if (severity === "none") return { severity, ...calm(context, counted, input, hot) };
  const alarmed = alarm(context, counted, input.now_ms);
  const wanted = escalation(context, severity, input);
  const intents = wanted.filter((intent) => spaced(context, alarmed, input.now_ms, intent));
  return { state: acted(alarmed, input.now_ms, intents), severity, intents };
}

function severityOf(context: GuardContext, state: GuardState, input: GuardInput, hot: boolean): Severity {
  const { config, limits } = context;
  if (state.blind_ticks >= config.blind_ticks) return "blind";
  if (input.inlet_c !== null) {
    if (input.inlet_c >= limits.inlet_c) return "over_limit";
    if (input.inlet_c >= limits.inlet_c - config.inlet_margin_c) return "near_limit";
  }
  if (input.mms_state === "persistent" && hot) return "persistent";
  return state.deviating_ticks >= DEVIATING_TICKS ? "deviation" : "none";
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
function escalation(context: GuardContext, severity: Severity, input: GuardInput): Intent[] {
  const emergency = severity === "over_limit";
  const reason = reasonOf(context, severity, input);
  const intents: Intent[] = [];
  const add = (kind: Intent["kind"], target: RackTarget, value: number | null) => {
    if (value !== null) intents.push({ kind, target, value, emergency, severity, reason });
  };
  const pump = raise(context, "pump_rpm_pct", PRE_COOL_PUMP_PCT, input);
  add("pre_cool", "pump_rpm_pct", pump);
  if (fanHelps(severity, input)) {
    add("pre_cool", "fan_rpm_pct", raise(context, "fan_rpm_pct", PRE_COOL_FAN_PCT, input));
  }
  const limit_near = severity === "near_limit" || severity === "over_limit";
  const pump_exhausted = pump === null;
  if (limit_near || (severity === "persistent" && pump_exhausted)) {
    add("admission", "admission_pct", lower(context, "admission_pct", input));
  }
  if (limit_near) add("routing", "routing_weight_pct", lower(context, "routing_weight_pct", input));
  return intents;
}

function fanHelps(severity: Severity, input: GuardInput): boolean {
  if (severity === "blind") return true;
  if (severity === "near_limit" || severity === "over_limit") return false;
  return input.heat.inlet_z !== null && input.heat.inlet_z < FAN_INLET_Z_MAX;
}

/** The next higher speed; null if the device is at its limit, or its speed is unknown. */
function raise(
  context: GuardContext,
  target: "fan_rpm_pct" | "pump_rpm_pct",
  step: number,
  input: GuardInput,
): number | null {
  const { max, min, step_max } = context.actuators[target];
  const current = input.setpoints[target] ?? input[target];
  // A device whose speed cannot be read is sent to its maximum: the cool side.
  const next = current === null ? max : Math.min(max, Math.max(min, current + Math.min(step, step_max)));
  return next === input.setpoints[target] ? null : round1(next);
}

/** The next lower share of work; null if it is at its limit already. */
function lower(
  context: GuardContext,
  target: "admission_pct" | "routing_weight_pct",
  input: GuardInput,
): number | null {
  const { max, min, step_max } = context.actuators[target];
  const current = input.setpoints[target] ?? max;
  const next = Math.max(min, current - step_max);
  return next === current ? null : next;
}

/** No trigger: after a calm time, hand back one thing at a time, last measure first. */
function calm(
  context: GuardContext,
  state: GuardState,
  input: GuardInput,
  hot: boolean,
): { state: GuardState; intents: Intent[] } {
  const { config } = context;
  // Hot or blind is not calm, even where nothing has to be done about it yet.
  if (hot || input.inlet_c === null)
    return { state: { ...state, alarmed_at_ms: held(state, input) }, intents: [] };
  if (state.alarmed_at_ms === null) return { state, intents: [] };
  const calm_ms = input.now_ms - state.alarmed_at_ms;
  const rested =
    state.last_release_ms === null || input.now_ms - state.last_release_ms >= config.action_spacing_s * 1000;
  if (calm_ms < state.hold_ms || !rested) return { state, intents: [] };
  const intent = nextRelease(context, input);
  if (!intent) return { state: initialGuardState(context), intents: [] };
  if (!spaced(context, state, input.now_ms, intent)) return { state, intents: [] };
  return {
    state: { ...acted(state, input.now_ms, [intent]), last_release_ms: input.now_ms },
    intents: [intent],
  };
}

function held(state: GuardState, input: GuardInput): number | null {
  return state.alarmed_at_ms === null ? null : input.now_ms;
}

function nextRelease(context: GuardContext, input: GuardInput): Intent | null {
  const base = { kind: "release", emergency: false, severity: "none", reason: "calm: handing back" } as const;
  for (const target of ["routing_weight_pct", "admission_pct"] as const) {
    const current = input.setpoints[target];
    if (current === null) continue;
    const { max, step_max } = context.actuators[target];
    const next = current + step_max;
    return { ...base, target, value: next >= max ? null : next };
  }
  for (const target of ["pump_rpm_pct", "fan_rpm_pct"] as const) {
    if (input.setpoints[target] !== null) return { ...base, target, value: null };
  }
  return null;
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
  const inlet = input.inlet_c === null ? "unknown" : `${input.inlet_c.toFixed(1)} °C`;
  switch (severity) {
    case "over_limit":
      return `inlet ${inlet} is at or above its limit of ${context.limits.inlet_c} °C`;
    case "near_limit":
      return `inlet ${inlet} is within ${context.config.inlet_margin_c} °C of its limit`;
    case "persistent":
      return `MMS calls the deviation persistent and the rack is hot (inlet ${inlet})`;
    case "deviation":
      return `D ${input.d?.toFixed(2)} ≥ tau_fast ${input.tau_fast?.toFixed(2)} and the rack is hot (inlet ${inlet})`;
    case "blind":
      return "no believable inlet reading: cooling as a precaution";
    case "none":
      return "calm";
  }
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
