import type { Command } from "commander";
import { type Rejection, SkadiError } from "../../../shared/errors.ts";
import { type ApiClient, apiClient } from "../../api-client.ts";
import { readConfig } from "../../cli-config.ts";

/** What every subcommand takes. */
export interface SiteFlags {
  config?: string;
  url?: string;
  json?: boolean;
}

export function withSiteOptions(command: Command): Command {
  return command
    .option("--config <file>", "aggregator configuration (default: config/aggregator.yaml)")
    .option("--url <url>", "address of the aggregator (default: from the configuration)")
    .option("--json", "print the result as JSON");
}

/** Prints the result, as JSON or as a person reads it. */
export function print(flags: SiteFlags, result: object, readable: () => string): void {
  process.stdout.write(`${flags.json ? JSON.stringify(result) : readable()}\n`);
}

/** Runs a command against the aggregator; what it refuses is passed on with what to do next. */
export async function onSite<T>(flags: SiteFlags, work: (api: ApiClient) => Promise<T>): Promise<T> {
  try {
    return await work(apiClient(readConfig(flags.config), flags.url));
  } catch (error) {
    if (error instanceof SkadiError) throw new SkadiError(error.rejections.map(withNextStep));
    throw error;
  }
}

/** By code and field of a refusal. */
const NEXT_STEPS: Readonly<Record<string, string>> = {
  "SKADI_NOT_FOUND url": "start it with: skadi-aggregator run; or say where it is with --url",
  "SKADI_NOT_FOUND data_dir": "run this where the aggregator runs, or name its data_dir with --config",
  "SKADI_NOT_FOUND model": "see which there are with: skadi-aggregator models list",
  "SKADI_NOT_FOUND scope": "racks are named like R-C-07, rows like C",
  "SKADI_NOT_FOUND pin": "see the pins with: skadi-aggregator models pins",
  "SKADI_NOT_FOUND rollout": "see which there are with: skadi-aggregator models rollouts",
  "SKADI_NOT_FOUND previous_id": "bring any other model with: skadi-aggregator models promote <model>",
  "SKADI_CONFLICT id": "give the file another id by training again, or promote the model that has it",
  "SKADI_CONFLICT rollout": "see what it does with: skadi-aggregator models watch",
  "SKADI_UNAUTHORIZED authorization": "the token of another aggregator's data_dir was used; see --config",
};

function withNextStep(rejection: Rejection): Rejection {
  const next = NEXT_STEPS[`${rejection.code} ${rejection.field}`];
  return next ? { ...rejection, message: `${rejection.message}\n  ${next}` } : rejection;
}
