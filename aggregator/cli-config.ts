import { loadConfig } from "../shared/config-file.ts";
import { AggregatorConfig } from "../shared/contracts/config.ts";

/** The configuration that every subcommand works with. */
export function readConfig(file: string | undefined): AggregatorConfig {
  // These are the commands' own; looking for settings of such names would take longer than all the rest.
  const { SKADI_URL: _url, SKADI_TOKEN: _token, ...env } = process.env;
  return loadConfig(AggregatorConfig, { file, fallback: "config/aggregator.yaml", env });
}
