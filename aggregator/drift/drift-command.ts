import { Command } from "commander";
import { DriftAnswer } from "../../shared/contracts/answers.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { colours, print, tableOr } from "../cli/output.ts";
import { checkLines, retrainingLines, scopeColumns, scopesShown } from "./drift-text.ts";

interface DriftFlags extends ClientFlags {
  all?: boolean;
}

/** `skadi-aggregator drift`: whether the site still runs as its model learnt, and what retraining came to. */
export function driftCommand(): Command {
  return withClientOptions(new Command("drift"))
    .description("whether site, rows and racks still run as the model learnt, and what retraining came to")
    .option("--all", "list racks that do not drift, too")
    .action(show);
}

async function show(flags: DriftFlags): Promise<void> {
  const answer = await clientOf(flags).get("/drift", DriftAnswer);
  print(answer, () => lines(answer, flags.all ?? false), flags);
}

function lines({ drift, retraining }: DriftAnswer, all: boolean): string[] {
  const check = drift
    ? [
        ...checkLines(drift, colours),
        "",
        ...tableOr("Nothing to compare", scopeColumns(colours), scopesShown(drift, all)),
      ]
    : ["The model in force has not been checked yet (schedules.drift says when)"];
  if (!retraining) return check;
  return [...check, "", ...retrainingLines(retraining, drift?.model_id ?? null, colours)];
}
