import { sampleWindow } from "../../agent/window.ts";
import type { Random } from "../../shared/random.ts";
import type { RowSink } from "../data/data-row.ts";
import { emptyRow, ticksOf } from "../data/data-row.ts";
import { type Fault, type FaultKind, isSensorFault } from "../plant/faults.ts";
import { createPlant, type Plant } from "../plant/plant.ts";
import { SENSOR_FIELDS } from "../plant/sensors.ts";
import { rackReader } from "../site/rack.ts";

/** An agent scores windows of this length, so the rows of a data set are such windows too. */
const WINDOW_S = 5;
/** Lags and thermal masses settle before the first row. */
const SETTLE_S = 900;
const FAULT_DURATION_S = [600, 3_600] as const;
const FAULT_SEVERITY = [0.5, 1] as const;
const FAULT_KINDS: readonly FaultKind[] = [
  "fan_failure",
  "pump_degradation",
  "tile_blockage",
  "crah_failure",
  "load_surge",
  "sensor_stuck",
  "sensor_drift",
  "sensor_dropout",
  "sensor_spike",
];

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
}

/**
 * Runs the closed-loop plant and hands over one row per rack and tick: what an agent would have measured over the
 * last 5 s, with the true regime and fault as labels. `gpu_energy_j` is scaled from the window to the tick.
 *
 * @returns yields the number of ticks done
 */
export function* generatePlantData(options: PlantDataOptions, sink: RowSink): Generator<number> {
  const { rack_ids, tick_s } = options;
  const plant = createPlant({ rack_ids, seed: options.seed, start_ms: options.start_ms - SETTLE_S * 1000 });
  const recorders = rack_ids.map((rack_id) => recorder(plant, rack_id, tick_s));
  const faults = faultSchedule(plant, options);
  stepSeconds(plant, SETTLE_S);
  const ticks = ticksOf(options);
  for (let t = 0; t < ticks; t++) {
    faults.advance(tick_s);
    stepSeconds(plant, tick_s - WINDOW_S);
    for (const { begin } of recorders) begin();
    for (let s = 0; s < WINDOW_S; s++) {
      plant.step(1);
      for (const { sample } of recorders) sample();
    }
    for (const { write } of recorders) write(sink);
    yield t + 1;
  }
}

function stepSeconds(plant: Plant, seconds: number): void {
  for (let s = 0; s < seconds; s++) plant.step(1);
}

/** Records windows of one rack through the agent's own averaging. */
function recorder(plant: Plant, rack_id: string, tick_s: number) {
  const read = rackReader(plant, rack_id);
  const row = { ...emptyRow(), rack_id };
  let window = sampleWindow();
  return {
    begin() {
      window = sampleWindow();
      window.add(read());
    },
    sample: () => window.add(read()),
    write(sink: RowSink) {
      const closed = window.close();
      if (!closed) return;
      const { values, interval_s } = closed;
      const missing = Number.NaN;
      for (const field of ["inlet_c", "outlet_c", "pdu_kw", "tokens_ps", "latency_p95_ms"] as const) {
        row[field] = values[field] ?? missing;
      }
      for (const field of ["queue_depth", "fan_rpm_pct", "pump_rpm_pct"] as const)
        row[field] = values[field] ?? missing;
      row.ts_ms = closed.at_ms;
      row.delta_t = row.outlet_c - row.inlet_c;
      row.gpu_power_kw = (values.gpu_energy_j ?? missing) / interval_s / 1000;
      row.gpu_energy_j = row.gpu_power_kw * 1000 * tick_s;
      const truth = plant.truth(rack_id);
      row.regime = truth.regime;
      row.fault = truth.fault;
      sink(row);
    },
  };
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
