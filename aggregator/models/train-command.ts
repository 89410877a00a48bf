import { Command, InvalidArgumentError, Option } from "commander";
import { integerOption, numberOption } from "../../shared/cli.ts";
import type { ModelKind, ThresholdRule } from "../../shared/contracts/model.ts";
import { startReading } from "../../shared/csv-numbers/read.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { MODEL_KINDS } from "../../shared/ims/kinds.ts";
import { seriesRecipe } from "../../shared/ims/presets.ts";
import { inputsOf } from "../../shared/ims/temporal.ts";
import { THRESHOLD_SYNTAX, thresholdOption } from "./threshold-option.ts";

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
  report?: true;
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
      new Option("--kind <kind>", `what clusters are (default: ${DESCRIBED.kind})`).choices(MODEL_KINDS),
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
    .option("--report", "also leave a page with pictures beside the model, which the registry then shows")
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
  const started = performance.now();
  const recipe = recipeOf(flags);
  const reading = startReading(flags.data, inputsOf(recipe.features, recipe.derived));
  try {
    // A second thread reads already while this one loads all that training needs.
    const { trainRun } = await import("./train-run.ts");
    const run = trainRun({ ...flags, recipe, started });
    process.stdout.write(await run(await reading.rows()));
  } finally {
    await reading.close();
  }
}

function columnsOption(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.every((name) => name !== "") && new Set(names).size === names.length) return names;
  throw new InvalidArgumentError("expected names that differ, with commas in between");
}
