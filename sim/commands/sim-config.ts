import { type Command, Option } from "commander";
import { integerOption, numberOption } from "../../shared/cli.ts";
import { loadConfig } from "../../shared/config-file.ts";
import { SimConfig } from "../../shared/contracts/config.ts";

/** Options that every command which runs racks has. */
export interface SimFlags {
  config?: string;
  racks?: number;
  speed?: number;
  seed?: number;
  hour?: number;
  season?: number;
  mode?: string;
  duration?: number;
  json?: boolean;
}

export function withSimOptions(command: Command): Command {
  return command
    .option("--config <file>", "simulator configuration (default: config/sim.yaml if it exists)")
    .option("--racks <n>", "number of racks", integerOption(1, 5_000))
    .option("--speed <x>", "simulated seconds per real second", numberOption(0.01, 1_000))
    .option("--seed <n>", "seed of hall and load", integerOption(0))
    .option("--hour <h>", "hour of the users' day at the start (default: now, UTC)", numberOption(0, 24))
    .option(
      "--season <k>",
      "how much warmer it is outdoors than in training, K (below 0: colder)",
      numberOption(-20, 20),
    )
    .addOption(
      new Option("--mode <mode>", "drive the simulated actuators, or only advise").choices([
        "advisory",
        "closed_loop",
      ]),
    )
    .option("--duration <s>", "stop by itself after this many real seconds", numberOption(1, 1e7))
    .option("--json", "no live status; print one JSON line at the end");
}

/** File, then SKADI_ variables, then the command line. */
export function simConfig(flags: SimFlags, overrides: Record<string, unknown> = {}): SimConfig {
  const { config: file, racks, speed, seed, hour: start_hour, season: season_k, mode } = flags;
  return loadConfig(SimConfig, {
    file,
    fallback: "config/sim.yaml",
    overrides: { racks, speed, seed, start_hour, season_k, mode, ...overrides },
  });
}
