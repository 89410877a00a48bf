#!/usr/bin/env node
import { Command } from "commander";
import { runCli } from "../shared/cli.ts";
import { packageVersion } from "../shared/version.ts";
import { demoCommand } from "./commands/demo.ts";
import { devicesCommand } from "./commands/devices.ts";
import { generateCommand } from "./commands/generate.ts";
import { racksCommand } from "./commands/racks.ts";
import { replayCommand } from "./commands/replay.ts";
import { scenarioCommand } from "./commands/scenario.ts";

const program = new Command("skadi-sim")
  .description(
    "Skadi's simulator: a whole demo site, simulated racks, simulated devices, scenarios and data sets",
  )
  .version(packageVersion())
  .addCommand(demoCommand())
  .addCommand(racksCommand())
  .addCommand(devicesCommand())
  .addCommand(scenarioCommand())
  .addCommand(generateCommand())
  .addCommand(replayCommand());

await runCli(program, process.argv);
