import { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { rowBuffer } from "../../shared/ims/rows.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { seededRandom } from "../../shared/random.ts";
import { generatePlantData } from "../profiles/plant-data.ts";

const TICK_S = 60;
const CLUSTERS = 8;
const CLUSTER_SEED = 42;

export interface PlantModelOptions {
  rack_ids: readonly string[];
  seed: number;
  hours: number;
  /** The recording ends here, just before the simulation that the model will score. */
  end_ms: number;
  onProgress(done_share: number): void;
}

/**
 * Trains a model on accelerated nominal operation of the plant. A model must come from the distribution that it
 * will score: one trained on the statistical recipe would judge the plant by another site's habits.
 */
export async function trainPlantModel(options: PlantModelOptions): Promise<ModelFile> {
  const { rack_ids, hours, seed, end_ms } = options;
  const start_ms = end_ms - hours * 3_600_000;
  const rows = rowBuffer();
  const row = new Float64Array(FEATURES.length);
  const ticks = (hours * 3600) / TICK_S;
  const random = seededRandom(seed);
  const recording = generatePlantData(
    { rack_ids, start_ms, hours, tick_s: TICK_S, seed, random, faults_per_rack_day: 0 },
    (data) => {
      for (let j = 0; j < FEATURES.length; j++) row[j] = data[FEATURES[j]!];
      rows.push(row);
    },
  );
  for (const done of recording) {
    if (done % 60 !== 0) continue;
    options.onProgress(done / ticks);
    // Lets a Ctrl-C through between hours.
    await new Promise(setImmediate);
  }
  return trainModel(rows.matrix(), {
    clusters: CLUSTERS,
    seed: CLUSTER_SEED,
    limits: AggregatorConfig.parse({}).limits,
    data: `closed-loop plant, ${rack_ids.length} racks, ${hours} h nominal, seed ${seed}`,
    created_ms: Date.now(),
  });
}
