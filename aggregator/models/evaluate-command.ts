import Table from "cli-table3";
import { Command, Option } from "commander";
import { numberOption } from "../../shared/cli.ts";
import type { HealthDescription } from "../../shared/contracts/health.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { SkadiError, skadiError } from "../../shared/errors.ts";
import { readHealthFile } from "../../shared/ims/health-file.ts";
import {
  LABEL_CHOICES,
  type LabelChoice,
  type LabelledRows,
  readLabelledRows,
} from "../../shared/ims/labelled-rows.ts";
import { readModelFile } from "../../shared/ims/model-file.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { readConfig } from "../cli-config.ts";
import { type Evaluation, evaluate, SIGNALS, type SignalResult } from "./evaluation.ts";

interface Flags {
  model: string;
  data: string;
  health?: string;
  labels: LabelChoice | true;
  flicker: number;
  aftermath: number;
  config?: string;
  json?: boolean;
}

/** `skadi-aggregator evaluate`: how well a model tells the anomalous from the normal in a recording. */
export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("score a recording and compare the alarms with its labels; without labels, count the alarms")
    .requiredOption("--model <file>", "model file")
    .requiredOption(
      "--data <csv>",
      "telemetry with ts and the ten features as columns, rack_id if of several racks",
    )
    .addOption(labelsOption())
    .option("--health <file>", "sensor-health description (see train-health); its alarms count too")
    .option("--flicker <s>", "alarms this close together are one", numberOption(0), 300)
    .option("--aftermath <s>", "an alarm this soon after an event is not false", numberOption(0), 900)
    .option("--config <file>", "aggregator configuration (its MMS settings)")
    .option("--json", "print the result as JSON")
    .action(run);
}

export function labelsOption(): Option {
  return new Option(
    "--labels [column]",
    "the column that says what is anomalous; auto: the first of these found",
  )
    .choices(LABEL_CHOICES)
    .default("auto");
}

/** @throws SkadiError with the reasons why the file is no valid model */
export function requireModel(path: string): ModelFile {
  const model = readModelFile(path);
  if (!model.ok) throw new SkadiError(model.rejections);
  return model.value;
}

/** @throws SkadiError SKADI_BAD_DATA where there is nothing to score */
export async function requireRows(path: string, labels: LabelChoice | true): Promise<LabelledRows> {
  const rows = await readLabelledRows(path, labels === true ? "auto" : labels);
  if (rows.rows > 0) return rows;
  throw skadiError("SKADI_BAD_DATA", { field: path, value: 0, expected: "at least one row" });
}

async function run(flags: Flags): Promise<void> {
  const { mms } = readConfig(flags.config);
  const scorer = createScorer(requireModel(flags.model));
  const health = flags.health ? requireHealth(flags.health) : null;
  const rows = await requireRows(flags.data, flags.labels);
  const result = evaluate(rows, scorer, {
    mms,
    health,
    flicker_ms: flags.flicker * 1000,
    aftermath_ms: flags.aftermath * 1000,
  });
  const about = { model_id: scorer.model.id, data: flags.data, labels: rows.label_column };
  process.stdout.write(
    flags.json ? `${JSON.stringify({ ...about, ...result })}\n` : readable(about, scorer.model, result),
  );
}

function requireHealth(path: string): HealthDescription {
  const health = readHealthFile(path);
  if (!health.ok) throw new SkadiError(health.rejections);
  return health.value;
}

const MEANING: Record<(typeof SIGNALS)[number], string> = {
  fast: "D ≥ tau_fast",
  persist: "D ≥ tau_persist",
  alarm: "alarm",
};

function readable(
  about: { model_id: string; data: string; labels: string | null },
  model: ModelFile,
  { rows, unscored, racks, rack_days, d, signals }: Evaluation,
): string {
  const head = [
    `Model ${about.model_id} on ${about.data}: ${rows.toLocaleString("en")} rows of ${racks} racks, ${rack_days.toFixed(1)} rack-days`,
    `  D            mean ${d.mean.toFixed(3)}, std ${d.std.toFixed(3)}, p50 ${d.p50.toFixed(3)}, p95 ${d.p95.toFixed(3)}, p98 ${d.p98.toFixed(3)}, max ${d.max.toFixed(2)}`,
    `  thresholds   tau_fast ${model.tau_fast.toFixed(3)}, tau_persist ${model.tau_persist.toFixed(3)}`,
    `  labels       ${about.labels ? `column ${about.labels}` : "none: alarm rates only"}`,
    ...(unscored > 0
      ? [`  not scored   ${unscored.toLocaleString("en")} rows without any believable feature`]
      : []),
  ];
  const tables = about.labels
    ? [sampleTable(signals), eventTable(signals), labelTable(signals.alarm)]
    : [rateTable(signals)];
  return `${[...head, "", ...tables].join("\n")}\n`;
}

function table(head: string[], rows: (string | number)[][]): string {
  const result = new Table({ head, style: { head: [], border: [] } });
  result.push(...rows);
  return result.toString();
}

function sampleTable(signals: Evaluation["signals"]): string {
  return table(
    ["sample by sample", "precision", "recall", "F1", "false-alarm rate", "miss rate"],
    SIGNALS.map((signal) => {
      const s = signals[signal].samples!;
      return [
        MEANING[signal],
        ...[s.precision, s.recall, s.f1, s.false_alarm_rate, s.miss_rate].map(percent),
      ];
    }),
  );
}

function eventTable(signals: Evaluation["signals"]): string {
  return table(
    ["event by event", "found", "precision", "recall", "F1", "false alarms per rack-day", "median delay"],
    SIGNALS.map((signal) => {
      const { events, false_alarms_per_rack_day } = signals[signal];
      const e = events!;
      const found = `${e.found} of ${e.total}`;
      const rates = [e.precision, e.recall, e.f1].map(percent);
      return [MEANING[signal], found, ...rates, figure(false_alarms_per_rack_day), seconds(e.median_delay_s)];
    }),
  );
}

function labelTable({ events }: SignalResult): string {
  const rows = Object.entries(events?.by_label ?? {});
  if (rows.length === 0) return "No labelled event in this recording.";
  return table(
    ["label (alarm)", "found", "median delay"],
    rows.map(([label, e]) => [label, `${e.found} of ${e.total}`, seconds(e.median_delay_s)]),
  );
}

function rateTable(signals: Evaluation["signals"]): string {
  return table(
    ["signal", "alarms", "alarms per rack-day", "share of the samples"],
    SIGNALS.map((signal) => {
      const s = signals[signal];
      return [MEANING[signal], s.alarms, figure(s.alarms_per_rack_day), percent(s.active_share)];
    }),
  );
}

function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}

function figure(value: number | null): string {
  return value === null ? "–" : value.toFixed(3);
}

function seconds(value: number | null): string {
  return value === null ? "–" : `${Math.round(value)} s`;
}
