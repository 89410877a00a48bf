import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { loadConfig } from "../../shared/config-file.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { validateModel, writeModelFile } from "../../shared/ims/model-file.ts";
import { fitModel, prepareTraining, type TrainOptions } from "../../shared/ims/train.ts";
import { startCsvFacts } from "./registry/csv-facts.ts";
import { trainedLineage, writeLineage, writeReport } from "./registry/lineage.ts";
import { describeThreshold } from "./threshold-option.ts";

export interface TrainRequest {
  /** The CSV file that the rows come from. */
  data: string;
  recipe: Omit<TrainOptions, "seed" | "limits" | "data" | "created_ms">;
  trim: number;
  seed: number;
  config?: string;
  out?: string;
  /** Whether a page with pictures is left beside the model. */
  report?: boolean;
  json?: boolean;
  /** When the work began, in milliseconds of `performance.now`. */
  started: number;
}

/**
 * Prepares `skadi-aggregator train`.
 *
 * @returns trains on the rows, writes the model and says what came out
 * @throws SkadiError SKADI_BAD_CONFIG
 */
export function trainRun(request: TrainRequest): (rows: Float64Array) => Promise<string> {
  const { recipe, seed, trim, data, started } = request;
  const config = loadConfig(AggregatorConfig, { file: request.config, fallback: "config/aggregator.yaml" });
  return async (rows) => {
    const options = {
      ...recipe,
      seed,
      trim_share: trim,
      limits: config.limits,
      data: basename(data),
      created_ms: Date.now(),
    };
    // Hashing the file is left to the thread that reading has no more need of.
    const looking = startCsvFacts(data);
    try {
      const report = request.report && areSamples(recipe) ? await import("./training-report.ts") : null;
      const shown = report?.rowsToShow(rows);
      const prepared = prepareTraining(rows, options);
      const read_s = (performance.now() - started) / 1000;
      const model = fitModel(prepared, options);
      const total_s = (performance.now() - started) / 1000;
      const path = request.out ?? freePath(join(config.data_dir, "models"), model.id);
      const { data: _data, created_ms: _created_ms, ...parameters } = options;
      const lineage = trainedLineage(model, await looking.result(), parameters);
      const page = report && shown && report.trainingReport(model, shown, options);
      // Before the file: an aggregator that finds it at once is to know where it comes from.
      writeLineage(path, model, { ...lineage, ...(page ? writeReport(path, page) : {}) });
      writeModelFile(path, model);
      const timing = { read_s: round(read_s), train_s: round(total_s - read_s), total_s: round(total_s) };
      return request.json
        ? `${JSON.stringify(summary(model, path, timing))}\n`
        : readable(model, path, timing);
    } finally {
      await looking.stop();
    }
  };
}

/** Whether the rows that are read are the ten telemetry features, of which a report has pictures. */
function areSamples({ features = FEATURES, derived = [] }: TrainRequest["recipe"]): boolean {
  return features.join() === FEATURES.join() && derived.length === 0;
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

async function readable(model: ModelFile, path: string, timing: Timing): Promise<string> {
  const { default: Table } = await import("cli-table3");
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
    `Written to ${path}, its lineage beside it`,
    live.ok
      ? `Next: skadi-aggregator models push ${path} --watch`
      : `Not for agents: ${live.rejections[0]!.message}`,
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
