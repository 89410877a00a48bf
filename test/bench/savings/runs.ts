import { type EnergyInterval, INTERVAL_MS, toInterval } from "../../../aggregator/savings/interval.ts";
import type { RackMinute } from "../../../aggregator/store/store.ts";
import type { SavingsConfig } from "../../../shared/contracts/config.ts";
import { MEASURED_FIELDS, type MeasuredField } from "../../../shared/contracts/telemetry.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";

const STEP_S = 4;
/** An agent reads every second; three readings a minute are noisier than what the aggregator has. */
const READ_S = 20;
const MINUTE_S = 60;
const INTERVAL_S = INTERVAL_MS / 1000;

/** One quarter of an hour of a run: what telemetry says of it, under each description of the plant, and the truth. */
export interface RunInterval {
  telemetry: EnergyInterval[];
  /** IT, fans, pumps and cooling plant. */
  true_kwh: number;
  driven: boolean;
}

export interface RunOptions {
  rack_ids: readonly string[];
  seed: number;
  start_ms: number;
  intervals: number;
  /** Whether the policy drives the plant in this interval. */
  driven(interval: number): boolean;
  policy: Policy;
  configs: readonly SavingsConfig[];
  onInterval(): void;
}

export interface Policy {
  /** Called once a minute while it may drive. Returns the supply setpoint in °C. */
  drive(plant: Plant): number;
  /** Hands everything back. */
  release(plant: Plant): void;
}

/** Runs the plant, reads it as agents do and adds its energy up as the aggregator does. */
export function runPlantIntervals(options: RunOptions): RunInterval[] {
  const { rack_ids, seed, start_ms, intervals, policy, configs } = options;
  const plant = createPlant({ rack_ids, seed, start_ms });
  const out: RunInterval[] = [];
  let before = 0;
  let driven_before = true;
  for (let k = 0; k < intervals; k++) {
    const driven = options.driven(k);
    if (!driven) policy.release(plant);
    const minutes: RackMinute[] = [];
    let supply_c: number | null = null;
    for (let minute = 0; minute < INTERVAL_S / MINUTE_S; minute++) {
      if (driven) supply_c = policy.drive(plant);
      minutes.push(...readMinute(plant, rack_ids));
    }
    const { it_kwh, fan_kwh, cooling_plant_kwh } = plant.energy();
    const total_kwh = it_kwh + fan_kwh + cooling_plant_kwh;
    const unoptimised = !driven && !driven_before;
    const telemetry = configs.map((config) => {
      const state = { driven_share: driven ? 1 : 0, unoptimised, supply_c: supply_c ?? config.supply_c };
      const interval = toInterval(start_ms + k * INTERVAL_MS, minutes, state, config);
      if (!interval) throw new RangeError(`interval ${k} holds no reading`);
      return interval;
    });
    out.push({ telemetry, true_kwh: total_kwh - before, driven });
    before = total_kwh;
    driven_before = driven;
    options.onInterval();
  }
  return out;
}

function readMinute(plant: Plant, rack_ids: readonly string[]): RackMinute[] {
  const sums = rack_ids.map(() => new Map<MeasuredField, number>());
  const minute_ms = plant.now_ms;
  for (let s = 0; s < MINUTE_S; s += READ_S) {
    for (let t = 0; t < READ_S; t += STEP_S) plant.step(STEP_S);
    rack_ids.forEach((rack_id, i) => {
      for (const [field, value] of Object.entries(plant.read(rack_id))) {
        const sum = sums[i]!;
        sum.set(field as MeasuredField, (sum.get(field as MeasuredField) ?? 0) + (value ?? Number.NaN));
      }
    });
  }
  const samples = MINUTE_S / READ_S;
  return rack_ids.map((rack_id, i) => {
    const pick = (field: MeasuredField) => [field, (sums[i]!.get(field) ?? Number.NaN) / samples] as const;
    const mean = Object.fromEntries(MEASURED_FIELDS.map(pick)) as RackMinute["mean"];
    return {
      rack_id,
      minute_ms,
      samples,
      mean,
      max: mean,
      d_mean: null,
      d_max: null,
      energy_kwh: 0,
      tokens: 0,
    };
  });
}
