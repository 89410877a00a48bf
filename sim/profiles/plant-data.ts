import { deltaT, gpuPowerKw, MEASURED_FIELDS } from "../../shared/contracts/telemetry.ts";
import type { Random } from "../../shared/random.ts";
import type { RowSink } from "../data/data-row.ts";
import { emptyRow, ticksOf } from "../data/data-row.ts";
import { FAULT_KINDS, type Fault, isSensorFault } from "../plant/faults.ts";
import { createPlant, type Plant } from "../plant/plant.ts";
import { SENSOR_FIELDS } from "../plant/sensors.ts";
import { readWindow, type WindowReading } from "../site/window.ts";

/** An agent scores windows of this length, so the rows of a data set are such windows too. */
const WINDOW_S = 5;
const FAULT_DURATION_S = [600, 3_600] as const;
const FAULT_SEVERITY = [0.5, 1] as const;

export interface PlantDataOptions {
  rack_ids: readonly string[];
  start_ms: number;
  hours: number;
  /** Time between rows of one rack, ≥ 5 s. */
  tick_s: number;
  seed: number | string;
  random: Random;
  /** Random faults to inject, on average; 0 is nominal operation. */
  faults_per_rack_day: number;
  /** How much warmer it is outdoors than the plant's constants assume. */
  season_k?: number;
}

/**
 * Runs the closed-loop plant and hands over one row per rack and tick: what an agent would have measured over the
 * last 5 s, with the true regime and fault as labels. `gpu_energy_j` is scaled from the window to the tick.
 *
 * @returns yields the number of ticks done
 */
export function* generatePlantData(options: PlantDataOptions, sink: RowSink): Generator<number> {
  const { rack_ids, tick_s } = options;
  const plant = createPlant({
    rack_ids,
    seed: options.seed,
    start_ms: options.start_ms,
    season_k: options.season_k,
  });
  const faults = faultSchedule(plant, options);
  const row = emptyRow();
  const ticks = ticksOf(options);
  for (let t = 0; t < ticks; t++) {
    faults.advance(tick_s);
    for (let s = 0; s < tick_s - WINDOW_S; s++) plant.step(1);
    readWindow(plant, rack_ids, WINDOW_S).forEach((reading, i) => {
      const rack_id = rack_ids[i]!;
      const { regime, fault } = plant.truth(rack_id);
      sink(Object.assign(row, { ts_ms: plant.now_ms, rack_id, regime, fault }, toColumns(reading, tick_s)));
    });
    yield t + 1;
  }
}

/** The numeric columns; NaN, an empty cell, where a sensor gave no answer. */
function toColumns(reading: WindowReading, tick_s: number) {
  const gpu_power_kw = gpuPowerKw(reading);
  const measured = Object.fromEntries(MEASURED_FIELDS.map((field) => [field, reading[field] ?? Number.NaN]));
  return { ...measured, delta_t: deltaT(reading), gpu_power_kw, gpu_energy_j: gpu_power_kw * 1000 * tick_s };
}

/** Poisson arrivals of random faults over the site; each ends by itself. */
function faultSchedule(plant: Plant, options: PlantDataOptions) {
  const { random } = options;
  const per_s = (options.faults_per_rack_day * options.rack_ids.length) / 86_400;
  const running = new Map<string, number>();
  return {
    advance(seconds: number) {
      for (const [handle, left_s] of running) {
        if (left_s > seconds) {
          running.set(handle, left_s - seconds);
          continue;
        }
        plant.clear(handle);
        running.delete(handle);
      }
      if (per_s > 0 && random.uniform() < 1 - Math.exp(-per_s * seconds)) {
        running.set(plant.inject(randomFault(options)), random.range(...FAULT_DURATION_S));
      }
    },
  };
}

function randomFault({ rack_ids, random }: PlantDataOptions): Fault {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)]!;
  const kind = pick(FAULT_KINDS);
  const common = { rack_id: pick(rack_ids), severity: random.range(...FAULT_SEVERITY) };
  const field = pick(SENSOR_FIELDS.filter((f) => f !== "gpu_energy_j_total"));
  const fault = { kind, field, ...common } as Fault;
  return isSensorFault(fault) ? fault : ({ kind, ...common } as Fault);
}
