import type { ModelFile } from "../../../shared/contracts/model.ts";
import { FEATURES, toFeatures } from "../../../shared/ims/features.ts";
import { rowBuffer } from "../../../shared/ims/rows.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { seededRandom } from "../../../shared/random.ts";
import { createPlant } from "../../../sim/plant/plant.ts";
import { createCommissioning } from "../../../sim/profiles/commissioning.ts";
import { readWindow } from "../../../sim/site/window.ts";
import { RACKS } from "../fault-schedule.ts";
import { START_MS } from "./hall.ts";

/** Other racks, other noise than any reported seed. */
const TRAINING_SEED = 9001;
const TICK_S = 60;
const WINDOW_S = 5;
const LIMITS = { inlet_c: 28, latency_p95_ms: 250, rack_kw: 12 };

/** A day of nominal operation and, if wanted, a day of the commissioning sweep. */
export function trainHallModel(commissioned: boolean): ModelFile {
  const rows = rowBuffer();
  const x = new Float64Array(FEATURES.length);
  for (const sweep of commissioned ? [false, true] : [false]) {
    const seed = TRAINING_SEED + (sweep ? 1 : 0);
    const plant = createPlant({ rack_ids: RACKS, seed, start_ms: START_MS });
    const commissioning = createCommissioning(plant, seededRandom(seed).fork("commissioning"));
    for (let minute = 0; minute < 1_440; minute++) {
      if (sweep) commissioning.advance(TICK_S);
      for (let s = 0; s < TICK_S - WINDOW_S; s++) plant.step(1);
      for (const window of readWindow(plant, RACKS, WINDOW_S)) rows.push(toFeatures(window, x));
    }
  }
  const data = `plant, seed ${TRAINING_SEED}, 24 h nominal${commissioned ? " and 24 h commissioning sweep" : ""}`;
  return trainModel(rows.matrix(), { limits: LIMITS, data, created_ms: 0, clusters: 8, seed: 42 });
}
