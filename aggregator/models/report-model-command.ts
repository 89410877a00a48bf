import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Command } from "commander";
import { FEATURES } from "../../shared/ims/features.ts";
import type { LabelChoice, LabelledRows } from "../../shared/ims/labelled-rows.ts";
import { readConfig } from "../cli-config.ts";
import { labelsOption, requireModel, requireRows } from "./evaluate-command.ts";
import { type ReportRows, trainingReport } from "./training-report.ts";

interface Flags {
  model: string;
  data: string;
  out: string;
  labels: LabelChoice | true;
  config?: string;
}

/** `skadi-aggregator report-model`: what a model learnt, as one HTML page. */
export function reportModelCommand(): Command {
  return new Command("report-model")
    .description("write a page with pictures of what a model learnt from a recording")
    .requiredOption("--model <file>", "model file")
    .requiredOption("--data <csv>", "the telemetry that it was trained on, or any other")
    .requiredOption("--out <html>", "where to write the page")
    .addOption(labelsOption())
    .option("--config <file>", "aggregator configuration (its limits tell what is nominal)")
    .action(async (flags: Flags) => {
      const { limits } = readConfig(flags.config);
      const model = requireModel(flags.model);
      const rows = await requireRows(flags.data, flags.labels);
      mkdirSync(dirname(flags.out), { recursive: true });
      writeFileSync(flags.out, trainingReport(model, toReportRows(rows), { limits, data: flags.data }));
      process.stdout.write(`Written to ${flags.out}\n`);
    });
}

/** All racks' rows, one rack after the other. */
function toReportRows({ racks, rows, label_column }: LabelledRows): ReportRows {
  const x = new Float64Array(rows * FEATURES.length);
  const anomalous = new Uint8Array(rows);
  let at = 0;
  for (const rack of racks) {
    x.set(rack.x, at * FEATURES.length);
    for (let r = 0; r < rack.ts_ms.length; r++) anomalous[at + r] = (rack.labels[r] ?? "") === "" ? 0 : 1;
    at += rack.ts_ms.length;
  }
  return { x, whole: rows, labels: label_column ? { column: label_column, anomalous } : null };
}
