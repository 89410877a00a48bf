#!/usr/bin/env node
import { Command } from "commander";
import { runCli } from "../shared/cli.ts";
import { packageVersion } from "../shared/version.ts";
import { modelsCommand } from "./models/models-command.ts";
import { trainCommand } from "./models/train-command.ts";
import { reportCommand } from "./report-command.ts";
import { runCommand } from "./run-command.ts";

const program = new Command("skadi-aggregator")
  .description(
    "Ingests the racks' telemetry, tells transient from persistent, and keeps the site safe and thrifty",
  )
  .version(packageVersion())
  .addCommand(runCommand())
  .addCommand(trainCommand())
  .addCommand(modelsCommand())
  .addCommand(reportCommand());

await runCli(program, process.argv);
