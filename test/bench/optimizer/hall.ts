import { uncommanded } from "../../../agent/commanded.ts";
import { guard, initialGuardState, isProtecting } from "../../../agent/guardrail/guardrail.ts";
import { heatOf } from "../../../agent/guardrail/heat.ts";
import { createSupervisor } from "../../../agent/health.ts";
import { sampleWindow } from "../../../agent/window.ts";
import { type MmsFilter, nextFilter } from "../../../aggregator/mms/filter.ts";
import { RACK_TARGETS, type RackTarget } from "../../../shared/contracts/action.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import type { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { MEASURED_FIELDS } from "../../../shared/contracts/telemetry.ts";
import { believed } from "../../../shared/ims/believed.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import type { Scorer } from "../../../shared/ims/score.ts";
import { toFeatures } from "../../../shared/ims/to-features.ts";
import { isoTime } from "../../../shared/time.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { rackReader } from "../../../sim/site/rack.ts";
import { DAY_S, RACKS, type ScheduledFault } from "../fault-schedule.ts";

export const START_MS = Date.UTC(2026, 0, 15);
const WINDOW_S = 5;
/** An agent reads every second; three readings a window are noisier than what it has, and save time. */
export const READ_SECONDS = [1, 3, 5];
const INTERVAL_S = 120;
const LIMIT_INLET_C = 28;
const LIMIT_P95_MS = 250;
const MMS = { ema_alpha: 0.3, ticks: 6 };
const D_SLOW_ALPHA = 0.03;
/** After a fault the rack needs this long to be itself again; an alarm until then is no false one. */
const AFTERMATH_S = 900;

const { guardrail, limits, actuators } = AgentConfig.parse({ rack_id: "R-A-01" });
const CONTEXT = { config: guardrail, limits, actuators, driven: RACK_TARGETS, without_own_control: [] };

/** One rack as agent and aggregator know it. */
export interface HallRack {
  rack_id: string;
  sample: TelemetrySample | null;
  sample_ms: number;
  mms: MmsFilter | null;
  d_slow: number | null;
  setpoints: Record<RackTarget, number | null>;
  /** The guardrail protects it: its agent refuses setpoints. */
  guarded: boolean;
  changed_ms: Record<RackTarget, number>;
}

export interface Hall {
  plant: Plant;
  racks: HallRack[];
  now_ms(): number;
  active_faults(): readonly ScheduledFault[];
  supply_c: number;
  supply_changed_ms: number;
  /** As the agent: refuses while guarded, too soon, or outside limits. Counts what is applied. */
  command(rack: number, target: RackTarget, value: number | null): boolean;
  setSupply(value_c: number): void;
}

/** What steers the hall; everything that it sees comes from telemetry, unless it is an oracle. */
export interface Policy {
  /** Setpoints that devices fall back to instead of their own control. */
  rest?: Partial<Record<RackTarget, number>>;
  onSample?(rack: number, sample: TelemetrySample, hall: Hall): void;
  tick?(hall: Hall): void;
}

export interface HallResult {
  it_kwh: number;
  fan_kwh: number;
  pump_kwh: number;
  /** Cooling plant (pumps included) and fans. */
  cooling_kwh: number;
  total_kwh: number;
  tokens: number;
  inlet_compliance: number;
  p95_compliance: number;
  optimizer_actions_per_rack_day: number;
  guardrail_actions_per_rack_day: number;
  /** Persistent episodes that began on a rack without a fault, per rack-day. */
  false_episodes_per_rack_day: number;
  deferred_tokens: number;
  rejected_tokens: number;
  mean: { supply_c: number; inlet_c: number; fan_pct: number; pump_pct: number; batch_window_ms: number };
  tick_ms: { mean: number; max: number };
}

/** Steps the plant through one window and hands the readings of each rack to `add`. */
export function stepWindow(plant: Plant, add: (rack: number) => void): void {
  for (let second = 1; second <= WINDOW_S; second++) {
    plant.step(1);
    if (!READ_SECONDS.includes(second)) continue;
    for (let i = 0; i < RACKS.length; i++) add(i);
  }
}

/** A plant with an agent per rack, composed of the agents' own parts, in one loop. */
export function runHall(options: {
  seed: number;
  days: number;
  schedule: readonly ScheduledFault[];
  scorer: Scorer;
  policy: (hall: Hall) => Policy;
  onHour?: () => void;
}): HallResult {
  const { seed, days, schedule, scorer } = options;
  const plant = createPlant({ rack_ids: RACKS, seed, start_ms: START_MS });
  const none = () =>
    Object.fromEntries(RACK_TARGETS.map((t) => [t, null])) as Record<RackTarget, number | null>;
  const never = () =>
    Object.fromEntries(RACK_TARGETS.map((t) => [t, Number.NEGATIVE_INFINITY])) as Record<RackTarget, number>;
  const racks = RACKS.map(
    (rack_id): HallRack => ({
      ...{
        rack_id,
        sample: null,
        sample_ms: Number.NEGATIVE_INFINITY,
        mms: null,
        d_slow: null,
        guarded: false,
      },
      setpoints: none(),
      changed_ms: never(),
    }),
  );
  const counts = { optimizer: 0, guardrail: 0, episodes: 0, hot: 0, slow: 0, windows: 0 };
  const active = new Map<ScheduledFault, string>();
  let policy: Policy = {};
  const drive = (i: number, target: RackTarget, value: number | null) => {
    const rack = racks[i]!;
    const { min, max } = actuators[target];
    const limited = value === null ? null : Math.max(min, Math.min(max, value));
    rack.setpoints[target] = limited;
    rack.changed_ms[target] = plant.now_ms;
    plant.setTarget(rack.rack_id, target, limited ?? policy.rest?.[target] ?? null);
  };
  const hall: Hall = {
    plant,
    racks,
    now_ms: () => plant.now_ms,
    active_faults: () => [...active.keys()],
    supply_c: plant.supply_c,
    supply_changed_ms: Number.NEGATIVE_INFINITY,
    command(i, target, value) {
      const rack = racks[i]!;
      const too_soon = plant.now_ms - rack.changed_ms[target] < guardrail.action_spacing_s * 1000;
      if (rack.guarded || too_soon) return false;
      drive(i, target, value);
      agents[i]!.owned.delete(target);
      counts.optimizer++;
      return true;
    },
    setSupply(value_c) {
      hall.supply_c = value_c;
      hall.supply_changed_ms = plant.now_ms;
      plant.setSupply(value_c);
      counts.optimizer++;
    },
  };
  policy = options.policy(hall);
  for (const [i] of racks.entries())
    for (const [target, value] of Object.entries(policy.rest ?? {}))
      plant.setTarget(RACKS[i]!, target as RackTarget, value);

  const agents = RACKS.map((rack_id) => {
    const read = rackReader(plant, rack_id);
    read();
    return {
      read,
      window: sampleWindow(plant.now_ms),
      supervisor: createSupervisor(null, limits.inlet_c - guardrail.inlet_margin_c),
      guard_state: initialGuardState(CONTEXT),
      owned: new Set<RackTarget>(),
      seq: 0,
    };
  });
  const mean = { supply_c: 0, inlet_c: 0, fan_pct: 0, pump_pct: 0, batch_window_ms: 0 };
  const p95_sum = new Float64Array(RACKS.length);
  const tick_times: number[] = [];
  const x = new Float64Array(FEATURES.length);
  const heat_x = new Float64Array(FEATURES.length);
  const verdict = { d: 0, cluster: 0, contributions: new Float64Array(FEATURES.length), missing: 0 };
  let ts = "";

  const agentTick = (i: number) => {
    const agent = agents[i]!;
    const rack = racks[i]!;
    const closed = agent.window.close();
    if (!closed) return;
    const sample = {
      ...closed.values,
      v: 1,
      ts,
      rack_id: rack.rack_id,
      seq: ++agent.seq,
      interval_s: closed.interval_s,
      quality: qualityOf(closed.values, closed.quality),
    } as TelemetrySample;
    const supervised = agent.supervisor.check(closed.at_ms, sample, rack.setpoints);
    const seen = uncommanded(believed(supervised.sample), rack.setpoints);
    const { d } = scorer.score(toFeatures(seen, x), verdict);
    const scored = Number.isFinite(d);
    if (scored) {
      const was = rack.mms?.state;
      rack.mms = nextFilter(rack.mms, { ...thresholds(scorer), d }, MMS);
      rack.d_slow = rack.d_slow === null ? d : rack.d_slow + D_SLOW_ALPHA * (d - rack.d_slow);
      if (
        rack.mms.state === "persistent" &&
        was === "transient" &&
        !faultyAround(schedule, i, plant.now_ms)
      ) {
        counts.episodes++;
      }
    }
    const guarded = supervised.guarded;
    const decision = guard(CONTEXT, agent.guard_state, {
      now_ms: plant.now_ms,
      closed_loop: true,
      inlet_c: guarded.inlet_c,
      hottest_inlet_c: closed.hottest_inlet_c,
      heat: heatOf(scorer.model, toFeatures(guarded, heat_x)),
      d: scored ? d : null,
      tau_fast: scored ? scorer.model.tau_fast : null,
      mms_state: rack.mms?.state ?? "transient",
      departure: supervised.departure,
      setpoints: rack.setpoints,
      fan_rpm_pct: guarded.fan_rpm_pct,
      pump_rpm_pct: guarded.pump_rpm_pct,
      pdu_kw: guarded.pdu_kw,
      owned: [...agent.owned],
      failing: [],
    });
    agent.guard_state = decision.state;
    rack.guarded = isProtecting(decision.state);
    for (const { target, value } of decision.intents) {
      drive(i, target, value);
      if (value === null) agent.owned.delete(target);
      else agent.owned.add(target);
      counts.guardrail++;
    }
    rack.sample = supervised.sample;
    rack.sample_ms = closed.at_ms;
    policy.onSample?.(i, supervised.sample, hall);
  };

  const windows = Math.round((days * DAY_S) / WINDOW_S);
  for (let window = 0; window < windows; window++) {
    for (const entry of schedule) {
      if (Math.floor(entry.start_s / WINDOW_S) === window) active.set(entry, plant.inject(entry.fault));
      if (Math.floor(entry.end_s / WINDOW_S) !== window) continue;
      plant.clear(active.get(entry) ?? "");
      active.delete(entry);
    }
    p95_sum.fill(0);
    stepWindow(plant, (i) => {
      agents[i]!.window.add(agents[i]!.read());
      p95_sum[i]! += plant.latencyP95Ms(RACKS[i]!);
    });
    ts = isoTime(plant.now_ms);
    for (let i = 0; i < RACKS.length; i++) {
      const truth = plant.truth(RACKS[i]!);
      counts.windows++;
      if (truth.inlet_c >= LIMIT_INLET_C) counts.hot++;
      if (p95_sum[i]! / READ_SECONDS.length >= LIMIT_P95_MS) counts.slow++;
      mean.inlet_c += truth.inlet_c;
      mean.fan_pct += truth.fan_rpm_pct;
      mean.pump_pct += truth.pump_rpm_pct;
      mean.batch_window_ms += racks[i]!.setpoints.batch_window_ms ?? 20;
      mean.supply_c += plant.supply_c;
      agentTick(i);
    }
    const second = (window + 1) * WINDOW_S;
    if (second % INTERVAL_S === 0 && policy.tick) {
      const started = performance.now();
      policy.tick(hall);
      tick_times.push(performance.now() - started);
    }
    if (second % 3_600 === 0) options.onHour?.();
  }

  const energy = plant.energy();
  const rack_days = RACKS.length * days;
  const cooling_kwh = energy.cooling_plant_kwh + energy.fan_kwh;
  const { deferred_tokens, rejected_tokens } = plant.workload();
  for (const key of Object.keys(mean) as (keyof typeof mean)[]) mean[key] /= counts.windows;
  return {
    it_kwh: energy.it_kwh,
    fan_kwh: energy.fan_kwh,
    pump_kwh: energy.pump_kwh,
    cooling_kwh,
    total_kwh: energy.it_kwh + cooling_kwh,
    tokens: energy.tokens,
    inlet_compliance: 1 - counts.hot / counts.windows,
    p95_compliance: 1 - counts.slow / counts.windows,
    optimizer_actions_per_rack_day: counts.optimizer / rack_days,
    guardrail_actions_per_rack_day: counts.guardrail / rack_days,
    false_episodes_per_rack_day: counts.episodes / rack_days,
    deferred_tokens,
    rejected_tokens,
    mean,
    tick_ms: {
      mean: tick_times.reduce((sum, t) => sum + t, 0) / Math.max(1, tick_times.length),
      max: Math.max(0, ...tick_times),
    },
  };
}

const ALL_GOOD = Object.fromEntries(
  MEASURED_FIELDS.map((field) => [field, "good"]),
) as TelemetrySample["quality"];

function qualityOf(values: Record<string, number | null>, given: TelemetrySample["quality"] | object) {
  if (Object.keys(given).length === 0 && MEASURED_FIELDS.every((field) => values[field] !== null))
    return ALL_GOOD;
  const quality: Record<string, string> = {};
  for (const field of MEASURED_FIELDS)
    quality[field] =
      values[field] === null ? "missing" : ((given as Record<string, string>)[field] ?? "good");
  return quality as TelemetrySample["quality"];
}

function thresholds({ model: { tau_fast, tau_persist } }: Scorer) {
  return { tau_fast, tau_persist };
}

function faultyAround(schedule: readonly ScheduledFault[], i: number, now_ms: number): boolean {
  const second = (now_ms - START_MS) / 1000;
  return schedule.some((f) => f.racks.includes(i) && second >= f.start_s && second <= f.end_s + AFTERMATH_S);
}
