import { loadConfig } from "../shared/config-file.ts";
import { AggregatorConfig } from "../shared/contracts/config.ts";

/** The configuration that every subcommand works with. */
export function readConfig(file: string | undefined): AggregatorConfig {
  return loadConfig(AggregatorConfig, { file, fallback: "config/aggregator.yaml" });
}
