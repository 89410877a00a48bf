#!/usr/bin/env node
import { Command } from "commander";
import { runCli } from "../shared/cli.ts";
import { packageVersion } from "../shared/version.ts";
import { evaluateCommand } from "./models/evaluate-command.ts";
import { modelsCommand } from "./models/models-command.ts";
import { trainCommand } from "./models/train-command.ts";
import { trainHealthCommand } from "./models/train-health-command.ts";
import { reportModelCommand } from "./models/training-report.ts";
import { reportCommand } from "./report-command.ts";
import { runCommand } from "./run-command.ts";

const program = new Command("skadi-aggregator")
  .description(
    "Ingests the racks' telemetry, tells transient from persistent, and keeps the site safe and thrifty",
  )
  .version(packageVersion())
  .addCommand(runCommand())
  .addCommand(trainCommand())
  .addCommand(trainHealthCommand())
  .addCommand(evaluateCommand())
  .addCommand(reportModelCommand())
  .addCommand(modelsCommand())
  .addCommand(reportCommand());

await runCli(program, process.argv);
