import { basename } from "node:path";
import { Command } from "commander";
import { HEALTH_FIELDS } from "../../shared/contracts/health.ts";
import { writeHealthFile } from "../../shared/ims/health-file.ts";
import { readLabelledRows } from "../../shared/ims/labelled-rows.ts";
import { trainHealth } from "../../shared/ims/train-health.ts";
import { readConfig } from "../cli-config.ts";

interface Flags {
  data: string;
  out: string;
  config?: string;
  json?: boolean;
}

/** `skadi-aggregator train-health`: CSV in, sensor-health description out. */
export function trainHealthCommand(): Command {
  return new Command("train-health")
    .description(
      "learn from nominal telemetry what healthy sensors look like; agents take the file as health_file",
    )
    .requiredOption("--data <csv>", "telemetry with ts, rack_id and the ten features as columns")
    .requiredOption("--out <file>", "where to write the description")
    .option("--config <file>", "aggregator configuration (its limits tell what is nominal)")
    .option("--json", "print the summary as JSON")
    .action(train);
}

async function train(flags: Flags): Promise<void> {
  const { limits } = readConfig(flags.config);
  const rows = await readLabelledRows(flags.data, "none");
  const data = basename(flags.data);
  const health = trainHealth(
    rows.racks.map((rack) => rack.x),
    { limits, data, created_ms: Date.now() },
  );
  writeHealthFile(flags.out, health);
  const { windows, stuck_windows } = health;
  const summary = { path: flags.out, data, racks: rows.racks.length, windows, stuck_windows };
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  const patience = HEALTH_FIELDS.map((field, j) => `${field} ${stuck_windows[j] ?? "never"}`).join(", ");
  process.stdout.write(
    `Sensor health from ${windows.toLocaleString("en")} nominal windows of ${rows.racks.length} racks in ${data}\n` +
      `  stuck after this many equal windows: ${patience}\nWritten to ${flags.out}\n`,
  );
}
