import { Command } from "commander";
import { runCli } from "../shared/cli.ts";
import { packageVersion } from "../shared/version.ts";

/** In the order of the help. A command is loaded only when it is asked for: most need little of what others do. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import("./commands/demo.ts")).demoCommand(),
  racks: async () => (await import("./commands/racks.ts")).racksCommand(),
  devices: async () => (await import("./commands/devices.ts")).devicesCommand(),
  scenario: async () => (await import("./commands/scenario.ts")).scenarioCommand(),
  generate: async () => (await import("./commands/generate.ts")).generateCommand(),
  replay: async () => (await import("./commands/replay.ts")).replayCommand(),
  completion: async () => (await import("../shared/completion/command.ts")).completionCommand(simProgram),
};

/** The program with all its commands, or with the one that is asked for. */
export async function simProgram(name?: string): Promise<Command> {
  const program = new Command("skadi-sim")
    .description("Skadi's simulator: a whole demo site, simulated racks and devices, scenarios and data sets")
    .version(packageVersion());
  const asked = COMMANDS[name ?? ""];
  for (const load of asked ? [asked] : Object.values(COMMANDS)) program.addCommand(await load());
  return program;
}

/** Runs the command that the process was started with. */
export async function start(): Promise<void> {
  await runCli(await simProgram(process.argv[2]), process.argv);
}
