import { createRls, type Rls } from "./rls.ts";
import { coolingKw, type Equipment } from "./site-model.ts";

/** One rack over a short time, complete. */
export interface Observation {
  interval_s: number;
  inlet_c: number;
  outlet_c: number;
  pdu_kw: number;
  gpu_kw: number;
  tokens_ps: number;
  latency_p95_ms: number;
  queue_depth: number;
  fan_pct: number;
  pump_pct: number;
  /** Batching window in force, supply air delivered, mean outlet of the neighbours in the row. */
  batch_window_ms: number;
  supply_c: number;
  neighbour_c: number;
}

/** What can be chosen, and what cannot. */
export interface Operation {
  fan_pct: number;
  pump_pct: number;
  batch_window_ms: number;
  supply_c: number;
  tokens_ps: number;
  neighbour_c: number;
}

/** The steady state that an operation leads to. */
export interface Outlook {
  inlet_c: number;
  outlet_c: number;
  mass_c: number;
  pdu_kw: number;
  gpu_kw: number;
  latency_p95_ms: number;
  /** Cooling plant's electricity for this rack's heat, the pump's included. */
  cooling_kw: number;
  total_kw: number;
}

/** Root mean squares of what was measured minus what had been predicted. */
export interface PredictionErrors {
  inlet_c: number;
  outlet_c: number;
  pdu_kw: number;
  latency_p95_ms: number;
}

export interface RackModel {
  observe(observation: Observation): void;
  /** null until enough has been seen. */
  predict(operation: Operation): Outlook | null;
  /** Standard deviation of the predicted inlet by the parameters' uncertainty. */
  inletDeviation(operation: Operation): number;
  /** Scatter of single windows around their mean: what guards and service levels see. */
  readonly scatter: { inlet_c: number; latency_p95_ms: number };
  /** Errors of predictions one period (60 s) ahead. */
  readonly one_step: PredictionErrors;
  /** Means of the last complete period. */
  readonly recent: Observation | null;
  /** Tells the model which fan speed was asked for, so that it sees when the device overrules it. */
  asked(fan_pct: number | null): void;
  readonly periods: number;
  /** Freezes the present state of knowledge. */
  snapshot(): (operation: Operation) => Outlook;
}

/** Parameters are updated with means over this time, which quietens the sensors' noise. */
const PERIOD_S = 60;
/** Predictions count from here on. */
const PERIODS_MIN = 5;
/** Memory of the slow parameters: half of it is gone after about a day. */
const FORGETTING = 0.9995;
/** A lasting difference between model and rack is learnt as an offset within about five minutes. */
const OFFSET_WEIGHT = 0.2;
/** A difference beyond this counts no more than one of just so much: a faulty sensor must not teach (Huber, 1964). */
const OUTLIER_SIGMAS = 6;
const JUMP_SIGMAS = 4;
const JUMP_WEIGHT = 0.8;
const ERROR_WEIGHT = 0.02;
const SCATTER_WEIGHT = 0.002;

/** Leakage current's growth with temperature (literature: 0.3–0.5 %/K), referred to a typical mass temperature. */
const LEAKAGE_PER_K = 0.004;
const LEAKAGE_REF_C = 44;
/** Share of a cold plate's thermal resistance that no flow can remove; convection ∝ flow^0.8 (Dittus–Boelter). */
const PLATE_FIXED_SHARE = 0.4;
/** Heat capacity of chassis and coolant. */
const MASS_KJ_PER_K = 60;
/** Half-way window of the saving by larger batches. */
const BATCH_HALF_MS = 40;
/** What natural draught moves with the fans at rest. */
const DRAUGHT_SHARE = 0.12;
/** A neighbour's share of the hot air at a rack's back. */
const NEIGHBOURS_SHARE = 0.4;
/** Hotter than this the rack has shut down, and linear leakage says nothing any more. */
const MASS_MAX_C = 80;
const RECIRCULATION_MAX = 0.9;

/** Air flow at full speed (kW/K), cold plate at full flow (kW/K), air effectiveness, direct share of heat to air. */
const HEAT_PRIOR = { prior: [0.45, 0.3, 0.42, 0.22], deviation: [0.04, 0.03, 0.03, 0.02] };
/** Recirculated share below the tile's flow, share of the missing air that is hot, fan speed at the tile's flow. */
const AIR_PRIOR = { prior: [0.09, 0.55, 55], deviation: [0.02, 0.1, 2] };
/** GPU power: idle (kW), per thousand tokens per second (kW), and what ever longer windows would save of that. */
const GPU_PRIOR = { prior: [1.2, 0.56, 0.1], deviation: [0.3, 0.1, 0.05] };
/** Rack power per GPU power; a correction of the fans' rated power. */
const POWER_PRIOR = { prior: [1.4, 1], deviation: [0.1, 0.15] };
/** Latency of an empty rack, what full batches add, and ms per queued utilisation ρ/(1−ρ). */
const LATENCY_PRIOR = { prior: [95, 125, 14], deviation: [15, 30, 6] };
/** Protection's fan speed at 40 °C, and its slope (%/K). */
const FLOOR_PRIOR = { prior: [46, 2.8], deviation: [4, 0.8] };
/** The device overrules what was asked when it turns this much faster. */
const OVERRULED_PCT = 1.5;
const FLOOR_REF_C = 40;
const FLOOR_PASSES = 6;
const FLOOR_RELAX = 0.6;

const NOISE = {
  inlet: 0.15 ** 2,
  outlet: 0.35 ** 2,
  // The counter itself is exact, but tokens are sampled while energy is summed.
  gpu: 0.08 ** 2,
  pdu: 0.06 ** 2,
  latency: 5 ** 2,
  fan: 1,
};

export function createRackModel(equipment: Equipment): RackModel {
  const rls = (of: { prior: number[]; deviation: number[] }, range: [number, number][]): Rls =>
    createRls({ ...of, forgetting: FORGETTING, range });
  const heat = rls(HEAT_PRIOR, [
    [0.2, 0.8],
    [0.1, 0.7],
    [0.2, 0.7],
    [0.05, 0.5],
  ]);
  const air = rls(AIR_PRIOR, [
    [0, 0.3],
    [0.1, 1],
    [35, 90],
  ]);
  const gpu = rls(GPU_PRIOR, [
    [0, 5],
    [0.1, 2],
    [0, 0.5],
  ]);
  const power = rls(POWER_PRIOR, [
    [1.05, 2.5],
    [0.2, 3],
  ]);
  const latency = rls(LATENCY_PRIOR, [
    [20, 400],
    [0, 600],
    [0, 100],
  ]);
  const floor = rls(FLOOR_PRIOR, [
    [20, 90],
    [0.5, 6],
  ]);
  const offset = { inlet: 0, outlet: 0, gpu: 0, latency: 0 };
  const errors = { inlet_c: 0.2, outlet_c: 0.5, pdu_kw: 0.1, latency_p95_ms: 5 };
  const scatter = { inlet_c: 0.55, latency_p95_ms: 20 };
  const sums = emptySums();
  const masses = new Float64Array(5).fill(Number.NaN);
  const outlets = new Float64Array(5);
  const trial = new Float64Array(4);
  const steps = [0.01, 0.01, 0.01, 0.01];
  let asked_pct: number | null = null;
  let floor_seen = false;
  let periods = 0;
  let recent: Observation | null = null;

  const plate = (u_full: number, pump_pct: number) =>
    u_full / (PLATE_FIXED_SHARE + (1 - PLATE_FIXED_SHARE) * Math.max(0.05, pump_pct / 100) ** -0.8);
  const flowOf = (k: number, fan_pct: number) => k * Math.max(DRAUGHT_SHARE, fan_pct / 100);
  const fanKw = (fan_pct: number) => equipment.fan_full_kw * power.theta[1]! * (fan_pct / 100) ** 3;
  const recirculated = (theta: ArrayLike<number>, fan_pct: number) =>
    Math.min(RECIRCULATION_MAX, theta[0]! + theta[1]! * Math.max(0, 1 - theta[2]! / Math.max(1, fan_pct)));
  const batchGain = (window_ms: number) => window_ms / (window_ms + BATCH_HALF_MS);
  /** Energy and machine time per token, relative to the default window. */
  const batchCost = (window_ms: number) => {
    const saving = gpu.theta[2]! / gpu.theta[1]!;
    return (1 - saving * batchGain(window_ms)) / (1 - saving * batchGain(equipment.batch_window_ms));
  };
  const latencyRegressors = (tokens_ps: number, window_ms: number) => {
    const rho = Math.min(0.9, (tokens_ps * batchCost(window_ms)) / equipment.capacity_tokens_ps);
    return [1, rho, rho / (1 - rho)];
  };

  /** The mass node's balance over one window, for the parameters as they are and with each of them moved a little. */
  const follow = (o: Observation) => {
    const it_kw = o.gpu_kw * power.theta[0]!;
    for (let v = 0; v < 5; v++) {
      for (let j = 0; j < 4; j++) trial[j] = heat.theta[j]! * (v === j + 1 ? 1 + steps[j]! : 1);
      const [k, u_full, effect, direct] = trial as unknown as [number, number, number, number];
      const flow = flowOf(k, o.fan_pct);
      const u = plate(u_full, o.pump_pct);
      const to_air = effect * flow;
      const target = ((1 - direct) * it_kw + to_air * o.inlet_c + u * equipment.water_c) / (to_air + u);
      const decay = Number.isNaN(masses[v]!) ? 0 : Math.exp((-o.interval_s * (to_air + u)) / MASS_KJ_PER_K);
      masses[v] = target + decay * ((Number.isNaN(masses[v]!) ? target : masses[v]!) - target);
      outlets[v]! +=
        o.inlet_c + (direct * it_kw + fanKw(o.fan_pct)) / flow + effect * (masses[v]! - o.inlet_c);
    }
  };

  const identify = (mean: Observation, windows: number) => {
    // The outlet shows the heat balance.
    const predicted = outlets[0]! / windows;
    const gradient = steps.map(
      (step, j) => (outlets[j + 1]! / windows - predicted) / (heat.theta[j]! * step),
    );
    const off = mean.outlet_c - predicted;
    learn(heat, gradient, off, NOISE.outlet, "outlet", "outlet_c");

    // The inlet shows recirculation.
    const hot_c = (1 - NEIGHBOURS_SHARE) * mean.outlet_c + NEIGHBOURS_SHARE * mean.neighbour_c;
    const lift = hot_c - mean.supply_c;
    const missing = Math.max(0, 1 - air.theta[2]! / Math.max(1, mean.fan_pct));
    const inlet = mean.supply_c + recirculated(air.theta, mean.fan_pct) * lift;
    const air_gradient = [lift, missing * lift, missing > 0 ? (-air.theta[1]! / mean.fan_pct) * lift : 0];
    learn(air, air_gradient, mean.inlet_c - inlet, NOISE.inlet, "inlet", "inlet_c");

    // The energy counter shows what a token costs.
    const mass_c = masses[0]!;
    const leakage = 1 + LEAKAGE_PER_K * (mass_c - LEAKAGE_REF_C);
    const thousands = mean.tokens_ps / 1000;
    const x = [leakage, thousands * leakage, -thousands * leakage * batchGain(mean.batch_window_ms)];
    const gpu_off = mean.gpu_kw - dot(gpu.theta, x);
    update(gpu, x, gpu_off, NOISE.gpu);
    offset.gpu += OFFSET_WEIGHT * (gpu_off - offset.gpu);

    const cube = equipment.fan_full_kw * (mean.fan_pct / 100) ** 3;
    const pdu_off = mean.pdu_kw - (power.theta[0]! * mean.gpu_kw + power.theta[1]! * cube);
    const through_gpu =
      mean.pdu_kw - (power.theta[0]! * (mean.gpu_kw - gpu_off + offset.gpu) + power.theta[1]! * cube);
    track("pdu_kw", through_gpu);
    update(power, [mean.gpu_kw, cube], pdu_off, NOISE.pdu);

    const served = latencyRegressors(mean.tokens_ps, mean.batch_window_ms);
    const latency_off = mean.latency_p95_ms - mean.batch_window_ms - dot(latency.theta, served);
    learn(latency, served, latency_off, NOISE.latency, "latency", "latency_p95_ms");

    if (asked_pct === null) return;
    const regressors = [1, mass_c - FLOOR_REF_C];
    const off_floor = mean.fan_pct - dot(floor.theta, regressors);
    const overruled_now = mean.fan_pct > asked_pct + OVERRULED_PCT;
    // A device that does as it is asked says that its floor is no higher than that.
    if (overruled_now || (floor_seen && off_floor < 0)) floor.update(regressors, off_floor, NOISE.fan);
    floor_seen ||= overruled_now;
  };

  const update = (of: Rls, x: readonly number[], off: number, variance: number) => {
    const most = OUTLIER_SIGMAS * Math.sqrt(variance);
    of.update(x, Math.max(-most, Math.min(most, off)), variance);
  };
  const track = (field: keyof PredictionErrors, error: number) => {
    if (periods < 2) return;
    const before = errors[field];
    errors[field] = Math.sqrt(before * before + ERROR_WEIGHT * (error * error - before * before));
  };
  const learn = (
    of: Rls,
    gradient: number[],
    off: number,
    variance: number,
    name: "inlet" | "outlet" | "latency",
    field: keyof PredictionErrors,
  ) => {
    track(field, off - offset[name]);
    update(of, gradient, off, variance);
    const change = off - offset[name];
    // A difference far beyond the noise is a fault or a lost air handler, and learnt at once.
    const weight = change * change > JUMP_SIGMAS ** 2 * variance ? JUMP_WEIGHT : OFFSET_WEIGHT;
    offset[name] += weight * change;
  };

  const solve = (
    op: Operation,
    k: {
      heat: ArrayLike<number>;
      air: ArrayLike<number>;
      gpu: ArrayLike<number>;
      power: ArrayLike<number>;
      latency: ArrayLike<number>;
    },
    off: typeof offset,
  ): Outlook => {
    const [flow_full, u_full, effect, direct] = k.heat as unknown as [number, number, number, number];
    const r = recirculated(k.air, op.fan_pct);
    const own = r * (1 - NEIGHBOURS_SHARE);
    const flow = flowOf(flow_full, op.fan_pct);
    const u = plate(u_full, op.pump_pct);
    const fan_kw = fanKw(op.fan_pct);
    const thousands = op.tokens_ps / 1000;
    const base_kw =
      (k.gpu[0]! + thousands * (k.gpu[1]! - k.gpu[2]! * batchGain(op.batch_window_ms)) + off.gpu) *
      k.power[0]!;
    const a0 = base_kw * (1 - LEAKAGE_PER_K * LEAKAGE_REF_C);
    const a1 = base_kw * LEAKAGE_PER_K;
    const per_mass = effect + (direct * a1) / flow;
    const heat_rise = (direct * a0 + fan_kw) / flow + off.outlet;
    const scale = 1 - own * (1 - effect);
    const in0 =
      ((1 - r) * op.supply_c + r * NEIGHBOURS_SHARE * op.neighbour_c + own * heat_rise + off.inlet) / scale;
    const in1 = (own * per_mass) / scale;
    const to_air = effect * flow;
    const carried = Math.max(0.02, to_air * (1 - in1) + u - (1 - direct) * a1);
    const mass_c = Math.min(MASS_MAX_C, ((1 - direct) * a0 + to_air * in0 + u * equipment.water_c) / carried);
    const inlet_c = in0 + in1 * mass_c;
    const it_kw = a0 + a1 * mass_c;
    const outlet_c = (1 - effect) * inlet_c + per_mass * mass_c + heat_rise;
    const water_kw = u * (mass_c - equipment.water_c);
    const pdu_kw = it_kw + fan_kw;
    const pump_kw = equipment.pump_full_kw * (op.pump_pct / 100) ** 3;
    const cooling_kw = coolingKw({ air_kw: pdu_kw - water_kw, water_kw, pump_kw }, op.supply_c, equipment);
    const latency_p95_ms =
      op.batch_window_ms + dot(k.latency, latencyRegressors(op.tokens_ps, op.batch_window_ms)) + off.latency;
    const gpu_kw = it_kw / k.power[0]!;
    return {
      ...{ inlet_c, outlet_c, mass_c, pdu_kw, gpu_kw, latency_p95_ms, cooling_kw },
      total_kw: pdu_kw + cooling_kw,
    };
  };
  /** The device's own protection turns the fan faster than asked where the rack gets warm. */
  const overruled = (op: Operation, predict: (op: Operation) => Outlook): Outlook => {
    let outlook = predict(op);
    if (!floor_seen) return outlook;
    let fan_pct = op.fan_pct;
    for (let pass = 0; pass < FLOOR_PASSES; pass++) {
      const least = floor.theta[0]! + floor.theta[1]! * (outlook.mass_c - FLOOR_REF_C);
      const next = Math.min(100, Math.max(op.fan_pct, fan_pct + FLOOR_RELAX * (least - fan_pct)));
      if (Math.abs(next - fan_pct) < 0.05) break;
      fan_pct = next;
      outlook = predict({ ...op, fan_pct });
    }
    return outlook;
  };
  const live = {
    ...{ heat: heat.theta, air: air.theta, gpu: gpu.theta, power: power.theta, latency: latency.theta },
  };

  return {
    observe(o) {
      follow(o);
      addUp(sums, o);
      const seen = recent;
      if (seen) {
        const widen = (field: "inlet_c" | "latency_p95_ms") => {
          const by = o[field] - seen[field];
          const before = scatter[field];
          // Faults must not widen the margin of better times beyond reason.
          const squared = Math.min(by * by, 9 * before * before);
          scatter[field] = Math.sqrt(before * before + SCATTER_WEIGHT * (squared - before * before));
        };
        widen("inlet_c");
        widen("latency_p95_ms");
      }
      if (sums.seconds < PERIOD_S) return;
      const mean = meanOf(sums);
      identify(mean, sums.windows);
      periods++;
      recent = mean;
      clear(sums);
      outlets.fill(0);
    },
    predict: (op) => (periods < PERIODS_MIN ? null : overruled(op, (of) => solve(of, live, offset))),
    inletDeviation(op) {
      const lift = (recent?.outlet_c ?? 36) - op.supply_c;
      const missing = Math.max(0, 1 - air.theta[2]! / Math.max(1, op.fan_pct));
      const x = [lift, missing * lift, missing > 0 ? (-air.theta[1]! / op.fan_pct) * lift : 0];
      return Math.sqrt(Math.max(0, air.variance(x)));
    },
    scatter,
    one_step: errors,
    get recent() {
      return recent;
    },
    asked(fan_pct) {
      asked_pct = fan_pct;
    },
    get periods() {
      return periods;
    },
    snapshot() {
      const frozen = {
        heat: heat.theta.slice(),
        air: air.theta.slice(),
        gpu: gpu.theta.slice(),
        power: power.theta.slice(),
        latency: latency.theta.slice(),
      };
      const off = { ...offset };
      return (op) => solve(op, frozen, off);
    },
  };
}

const SUMMED = [
  "inlet_c",
  "outlet_c",
  "pdu_kw",
  "gpu_kw",
  "tokens_ps",
  "latency_p95_ms",
  "queue_depth",
  "fan_pct",
  "pump_pct",
  "batch_window_ms",
  "supply_c",
  "neighbour_c",
] as const;
type Sums = Record<(typeof SUMMED)[number], number> & { seconds: number; windows: number };

function emptySums(): Sums {
  return { ...(Object.fromEntries(SUMMED.map((name) => [name, 0])) as Sums), seconds: 0, windows: 0 };
}

function clear(sums: Sums): void {
  Object.assign(sums, emptySums());
}

function addUp(sums: Sums, o: Observation): void {
  for (const name of SUMMED) sums[name] += o[name];
  sums.seconds += o.interval_s;
  sums.windows++;
}

function meanOf(sums: Sums): Observation {
  const mean = { interval_s: sums.seconds } as Observation;
  for (const name of SUMMED) mean[name] = sums[name] / sums.windows;
  return mean;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
