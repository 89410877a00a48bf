import { racksOf } from "../../shared/contracts/rack.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { type RowBuffer, rowBuffer } from "../../shared/ims/rows.ts";
import { createScorer, scoreBatch } from "../../shared/ims/score.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { seededRandom } from "../../shared/random.ts";
import { createPlant } from "../../sim/plant/plant.ts";
import { generateRecipe } from "../../sim/profiles/recipe.ts";
import { readWindow } from "../../sim/site/window.ts";

const RACKS = racksOf(["A", "B", "C", "D", "E", "F"], 12);
const MIDNIGHT_MS = Date.UTC(2026, 0, 15);
const LIMITS = { inlet_c: 28, latency_p95_ms: 250, rack_kw: 12 };
const WINDOW_S = 5;
const DAY_S = 86_400;

/** The MMS floor: consecutive windows with the smoothed score beyond a threshold. */
const EMA_ALPHA = 0.3;
const MMS_WINDOWS = 6;
const EPISODES_GOAL = 0.05;

export async function benchPlant(): Promise<void> {
  stepSpeed();
  const plant_rows = plantDay();
  recipeAcceptance(plant_rows);
  persistentEpisodes(plant_rows);
}

function stepSpeed(): void {
  const plant = createPlant({ rack_ids: RACKS, seed: 1, start_ms: MIDNIGHT_MS });
  const started = performance.now();
  for (let s = 0; s < DAY_S; s++) plant.step(1);
  const seconds = (performance.now() - started) / 1000;
  const rate = (DAY_S * RACKS.length) / seconds / 1e6;
  console.log(
    `plant: 72 racks × 24 h at 1 s in ${seconds.toFixed(2)} s, ${rate.toFixed(2)} M rack-steps/s (goal ≥ 2)`,
  );
}

/** A day of nominal operation: one window of every rack per minute. */
function plantDay(): Float64Array {
  const rows: RowBuffer = rowBuffer();
  const row = new Float64Array(FEATURES.length);
  const plant = createPlant({ rack_ids: RACKS, seed: 1, start_ms: MIDNIGHT_MS });
  for (let minute = 0; minute < 1_440; minute++) {
    for (let s = 0; s < 60 - WINDOW_S; s++) plant.step(1);
    for (const window of readWindow(plant, RACKS, WINDOW_S)) rows.push(toFeatures(window, row));
  }
  return rows.matrix();
}

function train(rows: Float64Array, data: string) {
  return trainModel(rows, { clusters: 8, seed: 42, limits: LIMITS, data, created_ms: 0 });
}

/** What share of the plant's nominal windows a model of the statistical recipe takes for nominal. */
function recipeAcceptance(plant_rows: Float64Array): void {
  const rows = rowBuffer();
  const row = new Float64Array(FEATURES.length);
  const tick_s = 60;
  const options = { rack_ids: RACKS, start_ms: MIDNIGHT_MS, hours: 24, tick_s, random: seededRandom(42) };
  const ticks = generateRecipe(options, (data) =>
    rows.push(toFeatures({ ...data, interval_s: tick_s }, row)),
  );
  for (const _ of ticks);
  const model = train(rows.matrix(), "recipe");
  const { d } = scoreBatch(model, plant_rows);
  const share = (tau: number) => ((100 * d.filter((value) => value < tau).length) / d.length).toFixed(1);
  console.log(
    `plant: a recipe-trained model accepts ${share(model.tau_fast)} % of nominal plant windows below tau_fast, ` +
      `${share(model.tau_persist)} % below tau_persist`,
  );
}

/** How often nominal operation looks persistent to the MMS floor; other racks and other noise than in training. */
function persistentEpisodes(plant_rows: Float64Array): void {
  const model = train(plant_rows, "plant");
  const scorer = createScorer(model);
  const row = new Float64Array(FEATURES.length);
  const plant = createPlant({ rack_ids: RACKS, seed: 2, start_ms: MIDNIGHT_MS });
  const ema = new Float64Array(RACKS.length).fill(Number.NaN);
  const above = new Int32Array(RACKS.length);
  const below = new Int32Array(RACKS.length);
  const persistent = new Uint8Array(RACKS.length);
  const by_hour = new Map<number, number>();
  let episodes = 0;
  for (let t = 0; t < DAY_S; t += WINDOW_S) {
    readWindow(plant, RACKS, WINDOW_S).forEach((window, i) => {
      const { d } = scorer.score(toFeatures(window, row));
      ema[i] = Number.isNaN(ema[i]!) ? d : EMA_ALPHA * d + (1 - EMA_ALPHA) * ema[i]!;
      above[i] = ema[i]! > model.tau_persist ? above[i]! + 1 : 0;
      below[i] = ema[i]! < model.tau_fast ? below[i]! + 1 : 0;
      if (!persistent[i] && above[i]! >= MMS_WINDOWS) {
        persistent[i] = 1;
        episodes++;
        const hour = Math.floor(t / 3_600);
        by_hour.set(hour, (by_hour.get(hour) ?? 0) + 1);
      } else if (persistent[i] && below[i]! >= MMS_WINDOWS) {
        persistent[i] = 0;
      }
    });
  }
  const rate = episodes / RACKS.length;
  const hours = [...by_hour].map(([hour, count]) => `${hour} h: ${count}`).join(", ");
  console.log(
    `plant: ${episodes} persistent episodes in 72 rack-days of nominal operation, ${rate.toFixed(3)} per rack-day ` +
      `(goal < ${EPISODES_GOAL})${hours ? `; ${hours}` : ""}; tau_fast ${model.tau_fast.toFixed(2)}, ` +
      `tau_persist ${model.tau_persist.toFixed(2)}`,
  );
}
