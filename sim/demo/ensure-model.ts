import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { SimConfig } from "../../shared/contracts/config.ts";
import { readModelFile, writeModelFile } from "../../shared/ims/model-file.ts";
import { progressBar } from "../progress.ts";
import { trainPlantModel } from "../site/plant-model.ts";

/** Trains a model of the plant where the demo's data directory has none that is valid; says what it does. */
export async function ensureModel(
  config: SimConfig,
  rack_ids: readonly string[],
  start_ms: number,
  say: (line: string) => void,
): Promise<void> {
  const folder = join(config.data_dir, "models");
  const existing = validModel(folder);
  if (existing) {
    say(`Model       ${existing} (found in ${folder})`);
    return;
  }
  const hours = config.training_hours;
  say(
    `Model       none in ${folder}: running the plant for ${hours} h of nominal operation, accelerated, to train one`,
  );
  const started = performance.now();
  const bar = progressBar("nominal operation", 1, true);
  const model = await trainPlantModel({
    rack_ids,
    seed: config.seed,
    hours,
    end_ms: start_ms,
    onProgress: bar.update,
  });
  bar.stop();
  writeModelFile(join(folder, `${model.id}.json`), model);
  const { rows, nominal_rows } = model.training;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `            trained ${model.id} on ${nominal_rows.toLocaleString("en")} of ${rows.toLocaleString("en")} samples in ${seconds} s`,
  );
  say(`            tau_fast ${model.tau_fast.toFixed(3)}, tau_persist ${model.tau_persist.toFixed(3)}`);
}

function validModel(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  for (const name of readdirSync(folder)) {
    const model = name.endsWith(".json") ? readModelFile(join(folder, name)) : undefined;
    if (model?.ok) return model.value.id;
  }
  return undefined;
}
