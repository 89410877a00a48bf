#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { Command } from "commander";
import { runCli } from "../shared/cli.ts";
import { packageVersion } from "../shared/version.ts";

// Compiled modules are kept in the temporary directory, which halves the time of every start but the first.
enableCompileCache();

/** In the order of the help. A command is loaded only when it is asked for: most need little of what others do. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run-command.ts")).runCommand(),
  train: async () => (await import("./models/train-command.ts")).trainCommand(),
  "train-health": async () => (await import("./models/train-health-command.ts")).trainHealthCommand(),
  evaluate: async () => (await import("./models/evaluate-command.ts")).evaluateCommand(),
  "report-model": async () => (await import("./models/training-report.ts")).reportModelCommand(),
  models: async () => (await import("./models/models-command.ts")).modelsCommand(),
  actions: async () => (await import("./actions/actions-command.ts")).actionsCommand(),
  export: async () => (await import("./exchange/commands.ts")).exportCommand(),
  import: async () => (await import("./exchange/commands.ts")).importCommand(),
  report: async () => (await import("./report/command.ts")).reportCommand(),
};

const program = new Command("skadi-aggregator")
  .description(
    "Ingests the racks' telemetry, tells transient from persistent, and keeps the site safe and thrifty",
  )
  .version(packageVersion());

const asked = COMMANDS[process.argv[2] ?? ""];
for (const load of asked ? [asked] : Object.values(COMMANDS)) program.addCommand(await load());

await runCli(program, process.argv);
