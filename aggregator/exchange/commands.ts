import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Command, Option } from "commander";
import { racksOf } from "../../shared/contracts/rack.ts";
import { skadiError } from "../../shared/errors.ts";
import { createLog } from "../../shared/log.ts";
import { isoTime } from "../../shared/time.ts";
import { instantOption } from "../cli/moments.ts";
import { readConfig } from "../cli-config.ts";
import { databaseFile } from "../secrets.ts";
import { samplePages } from "../store/sqlite/sample-pages.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { exportToFile, FORMATS, type Format } from "./export.ts";
import { importFile } from "./import.ts";

interface ExportFlags {
  from?: number;
  to?: number;
  format?: Format;
  out: string;
  config?: string;
  json?: boolean;
}

/** `skadi-aggregator export`: telemetry out of the database, whether its aggregator runs or not. */
export function exportCommand(): Command {
  return new Command("export")
    .description("write stored telemetry and its scores to a file")
    .option("--from <instant>", "ISO 8601 (default: the oldest)", instantOption)
    .option("--to <instant>", "ISO 8601, not included (default: now)", instantOption)
    .addOption(new Option("--format <format>", "default: by the file's name, else csv").choices(FORMATS))
    .requiredOption("--out <file>", "where to write; replaced if it is there")
    .option("--config <file>", "configuration (default: config/aggregator.yaml)")
    .option("--json", "print the result as JSON")
    .action(runExport);
}

async function runExport(flags: ExportFlags): Promise<void> {
  const { from = Number.MIN_SAFE_INTEGER, to = Date.now(), out: path } = flags;
  if (from >= to) {
    const expected = "an instant before --to";
    throw skadiError("SKADI_INVALID_FIELD", { field: "--from", value: isoTime(from), expected });
  }
  const database = databaseFile(readConfig(flags.config).data_dir);
  if (!existsSync(database)) {
    const expected = "the data directory of an aggregator that has run";
    throw skadiError("SKADI_NOT_FOUND", { field: "data_dir", value: database, expected });
  }
  const format = flags.format ?? formatOf(path);
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const result = await exportToFile(samplePages(db), { from_ms: from, to_ms: to, format, path });
    const text = `${result.rows.toLocaleString("en")} samples, ${result.bytes.toLocaleString("en")} bytes, written to ${path}`;
    process.stdout.write(`${flags.json ? JSON.stringify({ file: path, format, ...result }) : text}\n`);
  } finally {
    db.close();
  }
}

interface ImportFlags {
  format?: Format;
  config?: string;
  json?: boolean;
}

/** `skadi-aggregator import`: a file's telemetry into the history of the site. */
export function importCommand(): Command {
  return new Command("import")
    .description("add a file's telemetry to the stored history; what is stored already is left alone")
    .argument("<file>", "CSV or Parquet with the columns of an export or of a data set")
    .addOption(new Option("--format <format>", "default: by the file's name, else csv").choices(FORMATS))
    .option("--config <file>", "configuration (default: config/aggregator.yaml)")
    .option("--json", "print the result as JSON")
    .action(runImport);
}

async function runImport(path: string, flags: ImportFlags): Promise<void> {
  const config = readConfig(flags.config);
  const log = createLog("skadi-aggregator", config.log.level);
  const store = openSqliteStore(databaseFile(config.data_dir), { flush_ms: config.store.flush_ms, log });
  try {
    const rack_ids = new Set(racksOf(config.rows, config.racks_per_row));
    const format = flags.format ?? formatOf(path);
    const result = await importFile({ store, path, format, rack_ids, now_ms: Date.now() });
    const text = `${result.imported.toLocaleString("en")} of ${result.rows.toLocaleString("en")} samples imported; the others were stored already`;
    process.stdout.write(`${flags.json ? JSON.stringify({ file: path, format, ...result }) : text}\n`);
  } finally {
    store.close();
  }
}

function formatOf(path: string): Format {
  return path.toLowerCase().endsWith(".parquet") ? "parquet" : "csv";
}
