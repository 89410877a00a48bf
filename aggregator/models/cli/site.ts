import type { Command } from "commander";
import { type Rejection, SkadiError } from "../../../shared/errors.ts";
import type { AggregatorClient } from "../../cli/client.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../../cli/options.ts";

/** What every subcommand takes. */
export type SiteFlags = ClientFlags;

export const withSiteOptions = (command: Command): Command => withClientOptions(command, { controls: true });

/** Prints the result, as JSON or as a person reads it. */
export function print(flags: SiteFlags, result: object, readable: () => string): void {
  process.stdout.write(`${flags.json ? JSON.stringify(result) : readable()}\n`);
}

/** Runs a command against the aggregator; what it refuses is passed on with what to do next. */
export async function onSite<T>(flags: SiteFlags, work: (api: AggregatorClient) => Promise<T>): Promise<T> {
  try {
    return await work(clientOf(flags));
  } catch (error) {
    if (error instanceof SkadiError)
      throw new SkadiError(error.rejections.map(withNextStep), { cause: error, next: error.next });
    throw error;
  }
}

/** By code and field of a refusal. */
const NEXT_STEPS: Readonly<Record<string, string>> = {
  "SKADI_NOT_FOUND model": "see which there are with: skadi-aggregator models list",
  "SKADI_NOT_FOUND scope": "racks are named like R-C-07, rows like C",
  "SKADI_NOT_FOUND pin": "see the pins with: skadi-aggregator models pins",
  "SKADI_NOT_FOUND rollout": "see which there are with: skadi-aggregator models rollouts",
  "SKADI_NOT_FOUND previous_id": "bring any other model with: skadi-aggregator models promote <model>",
  "SKADI_CONFLICT id": "give the file another id by training again, or promote the model that has it",
  "SKADI_CONFLICT rollout": "see what it does with: skadi-aggregator models watch",
};

function withNextStep(rejection: Rejection): Rejection {
  const next = NEXT_STEPS[`${rejection.code} ${rejection.field}`];
  return next ? { ...rejection, message: `${rejection.message}\n  ${next}` } : rejection;
}
