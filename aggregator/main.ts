import { Command } from "commander";
import { runCli } from "../shared/cli.ts";
import { packageVersion } from "../shared/version.ts";

/** In the order of the help. A command is loaded only when it is asked for: most need little of what others do. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run-command.ts")).runCommand(),
  train: async () => (await import("./models/train-command.ts")).trainCommand(),
  "train-health": async () => (await import("./models/train-health-command.ts")).trainHealthCommand(),
  evaluate: async () => (await import("./models/evaluate-command.ts")).evaluateCommand(),
  "report-model": async () => (await import("./models/report-model-command.ts")).reportModelCommand(),
  models: async () => (await import("./models/cli/models-command.ts")).modelsCommand(),
  keys: async () => (await import("./models/cli/keys-command.ts")).keysCommand(),
  drift: async () => (await import("./drift/drift-command.ts")).driftCommand(),
  optimizer: async () => (await import("./optimizer/optimizer-command.ts")).optimizerCommand(),
  actions: async () => (await import("./actions/actions-command.ts")).actionsCommand(),
  top: async () => (await import("./top/top-command.ts")).topCommand(),
  incidents: async () => (await import("./incidents/incidents-command.ts")).incidentsCommand(),
  maintenance: async () => (await import("./incidents/maintenance-command.ts")).maintenanceCommand(),
  mode: async () => (await import("./control/mode-command.ts")).modeCommand(),
  logs: async () => (await import("./cli/logs-command.ts")).logsCommand(),
  export: async () => (await import("./exchange/commands.ts")).exportCommand(),
  import: async () => (await import("./exchange/commands.ts")).importCommand(),
  report: async () => (await import("./report/command.ts")).reportCommand(),
  completion: async () =>
    (await import("../shared/completion/command.ts")).completionCommand(aggregatorProgram),
};

/** The program with all its commands, or with the one that is asked for. */
export async function aggregatorProgram(name?: string): Promise<Command> {
  const program = new Command("skadi-aggregator")
    .description(
      "Ingests the racks' telemetry, tells transient from persistent, and keeps the site safe and thrifty",
    )
    .version(packageVersion());
  const asked = COMMANDS[name ?? ""];
  for (const load of asked ? [asked] : Object.values(COMMANDS)) program.addCommand(await load());
  return program;
}

/** Runs the command that the process was started with. */
export async function start(): Promise<void> {
  await runCli(await aggregatorProgram(process.argv[2]), process.argv);
}
