import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import Table from "cli-table3";
import { Command, InvalidArgumentError, Option } from "commander";
import { integerOption, numberOption } from "../../shared/cli.ts";
import { loadConfig } from "../../shared/config-file.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { type ModelFile, ModelKind, type ThresholdRule } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { validateModel, writeModelFile } from "../../shared/ims/model-file.ts";
import { seriesRecipe } from "../../shared/ims/presets.ts";
import { readFeatureRows } from "../../shared/ims/rows.ts";
import { inputsOf } from "../../shared/ims/temporal.ts";
import { fitModel, prepareTraining } from "../../shared/ims/train.ts";
import { describeThreshold, THRESHOLD_SYNTAX, thresholdOption } from "./threshold-option.ts";

interface TrainFlags {
  data: string;
  columns?: string[];
  series?: true;
  kind?: ModelKind;
  clusters?: number;
  threshold?: ThresholdRule;
  crossFit?: true;
  trim: number;
  seed: number;
  config?: string;
  out?: string;
  json?: boolean;
}

const CLUSTERS = 8;
/** Above this a share of the nominal rows is no longer contamination. */
const TRIM_MAX = 0.25;

/** `skadi-aggregator train`: CSV in, model file out. */
export function trainCommand(): Command {
  return new Command("train")
    .description("train an IMS model from a CSV file of telemetry and write it to data/models")
    .requiredOption("--data <csv>", "telemetry with the ten features as columns (see skadi-sim generate)")
    .option("--columns <names>", "columns to learn instead of the ten, with commas in between", columnsOption)
    .option("--series", "the rows are one machine's recording in order of time: use the recipe for series")
    .addOption(
      new Option("--kind <kind>", `what clusters are (default: ${DESCRIBED.kind})`).choices(
        ModelKind.options,
      ),
    )
    .option("--clusters <k>", `number of nominal clusters (default: ${CLUSTERS})`, integerOption(1, 4096))
    .option(
      "--threshold <rule>",
      `tau_fast and tau_persist: ${THRESHOLD_SYNTAX} (default: percentile:0.95,0.98)`,
      thresholdOption,
    )
    .option("--cross-fit", "measure thresholds on clusters that were learnt without the row")
    .option("--trim <share>", "set aside at most this share as contamination", numberOption(0, TRIM_MAX), 0)
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

/** The described system's model, which every option changes in one respect. */
const DESCRIBED = { kind: "kmeans", clusters: CLUSTERS, features: FEATURES, derived: [] } as const;

/** What the flags ask for: the described model or the recipe for series, and whatever they say beside it. */
function recipeOf({ columns, series, kind, clusters, threshold, crossFit }: TrainFlags) {
  return {
    ...(series ? seriesRecipe(columns ?? FEATURES) : { ...DESCRIBED, features: columns ?? FEATURES }),
    ...(kind ? { kind } : {}),
    ...(clusters ? { clusters } : {}),
    ...(threshold ? { threshold } : {}),
    ...(crossFit ? { cross_fit: true } : {}),
  };
}

async function train(flags: TrainFlags): Promise<void> {
  const file = flags.config;
  const config = loadConfig(AggregatorConfig, { file, fallback: "config/aggregator.yaml" });
  const recipe = recipeOf(flags);
  const started = performance.now();
  const options = {
    ...recipe,
    seed: flags.seed,
    trim_share: flags.trim,
    limits: config.limits,
    data: basename(flags.data),
    created_ms: Date.now(),
  };
  const inputs = inputsOf(recipe.features, recipe.derived);
  const prepared = prepareTraining(await readFeatureRows(flags.data, inputs), options);
  const read_s = (performance.now() - started) / 1000;
  const model = fitModel(prepared, options);
  const total_s = (performance.now() - started) / 1000;
  const path = flags.out ?? freePath(join(config.data_dir, "models"), model.id);
  writeModelFile(path, model);
  const timing = { read_s: round(read_s), train_s: round(total_s - read_s), total_s: round(total_s) };
  process.stdout.write(
    flags.json ? `${JSON.stringify(summary(model, path, timing))}\n` : readable(model, path, timing),
  );
}

function columnsOption(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.every((name) => name !== "") && new Set(names).size === names.length) return names;
  throw new InvalidArgumentError("expected names that differ, with commas in between");
}

/** Two trainings in one second must not overwrite each other. */
function freePath(folder: string, id: string): string {
  for (let n = 1; ; n++) {
    const path = join(folder, n === 1 ? `${id}.json` : `${id}_${n}.json`);
    if (!existsSync(path)) return path;
  }
}

/** Boxes may be hundreds. */
const CLUSTERS_SHOWN = 16;

type Timing = { read_s: number; train_s: number; total_s: number };

function summary(model: ModelFile, path: string, timing: Timing) {
  const { training, tau_fast, tau_persist } = model;
  const peak_mb = process.resourceUsage().maxRSS / 1024;
  return {
    model_id: model.id,
    path,
    kind: model.kind,
    tau_fast,
    tau_persist,
    ...training,
    ...timing,
    peak_mb,
  };
}

function readable(model: ModelFile, path: string, timing: Timing): string {
  const { training: t } = model;
  const kept_pct = (100 * t.nominal_rows) / t.rows;
  const table = new Table({
    head: ["cluster", "share", ...model.features],
    colAligns: Array.from({ length: model.features.length + 2 }, () => "right" as const),
    style: { head: [], border: [] },
  });
  const largest = [...model.centers.keys()].sort((a, b) => t.cluster_sizes[b]! - t.cluster_sizes[a]!);
  const shown = largest.slice(0, CLUSTERS_SHOWN).sort((a, b) => a - b);
  for (const c of shown) {
    const share = `${((100 * t.cluster_sizes[c]!) / t.nominal_rows).toFixed(1)} %`;
    table.push([c, share, ...model.centers[c]!.map((z, j) => physical(model, z, j))]);
  }
  const trimmed = t.trimmed_rows ? `, ${t.trimmed_rows.toLocaleString("en")} set aside as contamination` : "";
  const [fast, persist] = describeThreshold(model.threshold);
  const live = validateModel(model);
  return `${[
    `Model ${model.id} (${model.kind}) from ${t.data}`,
    `  rows         ${t.rows.toLocaleString("en")} read in ${timing.read_s} s, of which ${t.nominal_rows.toLocaleString("en")} (${kept_pct.toFixed(1)} %) nominal${trimmed}`,
    `  clusters     ${t.clusters} (seed ${t.seed}, ${t.iterations} full-data iterations, ${timing.train_s} s)`,
    `  tau_fast     ${model.tau_fast.toFixed(4)}  (${fast}: the fast loop acts at or above it)`,
    `  tau_persist  ${model.tau_persist.toFixed(4)}  (${persist}: persistent after hysteresis)`,
    `  D            mean ${t.mean_d.toFixed(4)}, std ${t.std_d.toFixed(4)}, mean D² ${t.mean_d2.toFixed(4)}`,
    "",
    shown.length < t.clusters
      ? `Centres of the ${shown.length} largest clusters, in physical units:`
      : "Cluster centres, in physical units:",
    table.toString(),
    "",
    `Written to ${path}`,
    live.ok ? `Next: skadi-aggregator models push ${path}` : `Not for agents: ${live.rejections[0]!.message}`,
  ].join("\n")}\n`;
}

function physical(model: ModelFile, z: number, j: number): string {
  const value = z * model.scaler.scale[j]! + model.scaler.mean[j]!;
  if (Math.abs(value) < 1) return value.toPrecision(2);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 1);
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
