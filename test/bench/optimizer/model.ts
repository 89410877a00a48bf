import { sampleWindow } from "../../../agent/window.ts";
import { createSolver } from "../../../aggregator/optimizer/lp.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { believed } from "../../../shared/ims/believed.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { type RowBuffer, rowBuffer } from "../../../shared/ims/rows.ts";
import { createScorer } from "../../../shared/ims/score.ts";
import { toFeatures } from "../../../shared/ims/to-features.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { seededRandom } from "../../../shared/random.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { createCommissioning } from "../../../sim/profiles/commissioning.ts";
import { rackReader } from "../../../sim/site/rack.ts";
import { RACKS } from "../fault-schedule.ts";
import { runHall, START_MS, stepWindow } from "./hall.ts";
import { predictivePolicy } from "./policies.ts";

/** Other racks, other noise than any reported seed. */
const TRAINING_SEED = 9001;
const TICK_S = 60;
const SWEEP_TICK_S = 120;
const WINDOW_S = 5;
const LIMITS = { inlet_c: 28, latency_p95_ms: 250, rack_kw: 12 };

/**
 * What the hall's IMS model is learnt from: a day as the plant runs by itself and, if commissioned, a day in which
 * setpoints are swept and a day under the optimiser without its bound on D, both without faults.
 */
export async function trainHallModel(commissioned: boolean, clusters = 8): Promise<ModelFile> {
  const rows = rowBuffer();
  record(rows, TRAINING_SEED, false);
  if (commissioned) {
    record(rows, TRAINING_SEED + 1, true);
    await recordOptimised(rows, TRAINING_SEED + 2, train(rows, 8, ""));
  }
  const what = commissioned ? "24 h nominal, 24 h swept and 24 h optimised" : "24 h nominal";
  return train(rows, clusters, `plant, seeds from ${TRAINING_SEED}, ${what}`);
}

function train(rows: RowBuffer, clusters: number, data: string): ModelFile {
  return trainModel(rows.matrix(), { limits: LIMITS, data, created_ms: 0, clusters, seed: 42 });
}

function record(rows: RowBuffer, seed: number, sweep: boolean): void {
  const x = new Float64Array(FEATURES.length);
  const plant = createPlant({ rack_ids: RACKS, seed, start_ms: START_MS });
  const commissioning = createCommissioning(plant, seededRandom(seed).fork("commissioning"));
  const readers = RACKS.map((rack_id) => windowReader(plant, rack_id));
  const tick_s = sweep ? SWEEP_TICK_S : TICK_S;
  for (let at_s = 0; at_s < 86_400; at_s += tick_s) {
    if (sweep) commissioning.advance(tick_s);
    for (let s = 0; s < tick_s - WINDOW_S; s += WINDOW_S) plant.step(WINDOW_S);
    for (const reader of readers) reader.open();
    stepWindow(plant, (i) => readers[i]!.add());
    for (const reader of readers) rows.push(toFeatures(reader.close(), x));
  }
}

function windowReader(plant: Plant, rack_id: string) {
  let read = rackReader(plant, rack_id);
  let window = sampleWindow(plant.now_ms);
  return {
    open() {
      read = rackReader(plant, rack_id);
      read();
      window = sampleWindow(plant.now_ms);
    },
    add: () => window.add(read()),
    close() {
      const { values, interval_s } = window.close()!;
      return { ...values, interval_s };
    },
  };
}

async function recordOptimised(rows: RowBuffer, seed: number, model: ModelFile): Promise<void> {
  const solve = await createSolver();
  const unbound = createScorer({ ...model, tau_fast: 1e9, tau_persist: 1e9 });
  const x = new Float64Array(FEATURES.length);
  runHall({
    ...{ seed, days: 1, schedule: [], scorer: unbound },
    policy: (hall) => {
      const policy = predictivePolicy(hall, unbound, solve, () => {});
      return {
        ...policy,
        onSample(i, sample, h) {
          policy.onSample?.(i, sample, h);
          if ((h.now_ms() - START_MS) % (TICK_S * 1000) === 0) rows.push(toFeatures(believed(sample), x));
        },
      };
    },
  });
}
