import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { racksOf } from "../../shared/contracts/rack.ts";
import { seededRandom } from "../../shared/random.ts";
import { csvWriter } from "../../sim/data/csv-writer.ts";
import { DATA_SET_START_MS, DATA_SETS } from "../../sim/data/data-sets.ts";
import { generateRecipe } from "../../sim/profiles/recipe.ts";

/** What the described system states for its generator. */
const DESCRIBED_PER_S = 20_000;
const RUNS = 3;

/** Writes training_ims.csv, 622,080 rows, to disk; the median of three runs. */
export async function benchGenerate(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "skadi-bench-"));
  const rates = Array.from({ length: RUNS }, () => generateOnce(join(folder, "training_ims.csv"))).sort(
    (a, b) => a - b,
  );
  rmSync(folder, { recursive: true });
  const median = rates[Math.floor(RUNS / 2)]!;
  const ratio = median / DESCRIBED_PER_S;
  console.log(
    `generate: ${Math.round(median).toLocaleString("en")} rows/s with the CSV on disk, ${ratio.toFixed(1)} × the described ${DESCRIBED_PER_S.toLocaleString("en")}`,
  );
}

function generateOnce(path: string): number {
  const { hours, tick_s } = DATA_SETS.training_ims;
  const started = performance.now();
  const writer = csvWriter(path, { labels: false });
  const rack_ids = racksOf(["A", "B", "C", "D", "E", "F"], 12);
  const recipe = generateRecipe(
    { rack_ids, start_ms: DATA_SET_START_MS, hours, tick_s, random: seededRandom(1) },
    writer.write,
  );
  for (const _ of recipe);
  const { rows } = writer.close();
  return rows / ((performance.now() - started) / 1000);
}
