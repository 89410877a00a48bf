import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import { integerOption } from "../../shared/cli.ts";
import { loadConfig } from "../../shared/config-file.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { readFeatureRows } from "../../shared/ims/rows.ts";
import { trainModel } from "../../shared/ims/train.ts";

interface TrainFlags {
  data: string;
  clusters: number;
  seed: number;
  config?: string;
  out?: string;
  json?: boolean;
}

/** `skadi-aggregator train`: CSV in, model file out. */
export function trainCommand(): Command {
  return new Command("train")
    .description("train an IMS model from a CSV file of telemetry and write it to data/models")
    .requiredOption("--data <csv>", "telemetry with the ten features as columns (see skadi-sim generate)")
    .option("--clusters <k>", "number of nominal clusters", integerOption(1, 4096), 8)
    .option(
      "--seed <n>",
      "seed of the clustering; the same seed and data give the same model",
      integerOption(0),
      42,
    )
    .option("--out <file>", "where to write the model (default: <data_dir>/models/<id>.json)")
    .option("--config <file>", "aggregator configuration")
    .option("--json", "print the summary as JSON")
    .action(train);
}

async function train(flags: TrainFlags): Promise<void> {
  const file = flags.config;
  const config = loadConfig(AggregatorConfig, { file, fallback: "config/aggregator.yaml" });
  const started = performance.now();
  const rows = await readFeatureRows(flags.data);
  const read_s = (performance.now() - started) / 1000;
  const { clusters, seed } = flags;
  const data = basename(flags.data);
  const model = trainModel(rows, { clusters, seed, limits: config.limits, data, created_ms: Date.now() });
  const total_s = (performance.now() - started) / 1000;
  const path = flags.out ?? freePath(join(config.data_dir, "models"), model.id);
  writeModelFile(path, model);
  const timing = { read_s: round(read_s), train_s: round(total_s - read_s), total_s: round(total_s) };
  process.stdout.write(
    flags.json ? `${JSON.stringify(summary(model, path, timing))}\n` : readable(model, path, timing),
  );
}

/** Two trainings in one second must not overwrite each other. */
function freePath(folder: string, id: string): string {
  for (let n = 1; ; n++) {
    const path = join(folder, n === 1 ? `${id}.json` : `${id}_${n}.json`);
    if (!existsSync(path)) return path;
  }
}

type Timing = { read_s: number; train_s: number; total_s: number };

function summary(model: ModelFile, path: string, timing: Timing) {
  const { training, tau_fast, tau_persist } = model;
  const peak_mb = process.resourceUsage().maxRSS / 1024;
  return { model_id: model.id, path, tau_fast, tau_persist, ...training, ...timing, peak_mb };
}

function readable(model: ModelFile, path: string, timing: Timing): string {
  const { training: t } = model;
  const kept_pct = (100 * t.nominal_rows) / t.rows;
  const table = new Table({
    head: ["cluster", "share", ...model.features],
    colAligns: Array.from({ length: model.features.length + 2 }, () => "right" as const),
    style: { head: [], border: [] },
  });
  for (const [c, center] of model.centers.entries()) {
    const share = `${((100 * t.cluster_sizes[c]!) / t.nominal_rows).toFixed(1)} %`;
    table.push([c, share, ...center.map((z, j) => physical(model, z, j))]);
  }
  return `${[
    `Model ${model.id} from ${t.data}`,
    `  rows         ${t.rows.toLocaleString("en")} read in ${timing.read_s} s, of which ${t.nominal_rows.toLocaleString("en")} (${kept_pct.toFixed(1)} %) nominal`,
    `  clusters     ${t.clusters} (seed ${t.seed}, ${t.iterations} full-data iterations, ${timing.train_s} s)`,
    `  tau_fast     ${model.tau_fast.toFixed(4)}  (p95 of D: the fast loop acts at or above it)`,
    `  tau_persist  ${model.tau_persist.toFixed(4)}  (p98 of D: persistent after hysteresis)`,
    `  D            mean ${t.mean_d.toFixed(4)}, std ${t.std_d.toFixed(4)}, mean D² ${t.mean_d2.toFixed(4)}`,
    "",
    "Cluster centres, in physical units:",
    table.toString(),
    "",
    `Written to ${path}`,
    `Next: skadi-aggregator models push ${path}`,
  ].join("\n")}\n`;
}

function physical(model: ModelFile, z: number, j: number): string {
  const value = z * model.scaler.scale[j]! + model.scaler.mean[j]!;
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 1);
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
