import { Argument, Command, Option } from "commander";
import { aggregatorClient } from "../../aggregator/cli/client.ts";
import { numberOption } from "../../shared/cli.ts";
import { PlayedAnswer, ScenariosAnswer } from "../../shared/contracts/answers.ts";
import { skadiError } from "../../shared/errors.ts";

interface Flags {
  url: string;
  duration: number;
  json?: boolean;
}

/** `skadi-sim scenario`: asks a running aggregator to have its simulator play a scenario. */
export function scenarioCommand(): Command {
  return new Command("scenario")
    .description("start or stop a demo scenario through the aggregator's API, or list them")
    .addArgument(new Argument("<action>").choices(["start", "stop", "list"]))
    .argument("[name]", "heat_spike (add_ai_nodes_row_c), overcooled_row_e or season_shift")
    .addOption(new Option("--url <url>", "the aggregator").env("SKADI_URL").default("http://127.0.0.1:8000"))
    .option("--duration <s>", "how long it lasts, in simulated seconds", numberOption(1, 86_400), 300)
    .option("--json", "print the answer as JSON")
    .action(scenario);
}

async function scenario(
  action: "start" | "stop" | "list",
  name: string | undefined,
  flags: Flags,
): Promise<void> {
  const source = "--url, SKADI_URL or the default";
  const client = aggregatorClient({ url: flags.url, source, token: null, token_source: "nowhere" });
  const answer =
    action === "list"
      ? await client.get("/demo/scenarios", ScenariosAnswer)
      : await client.post("/demo/scenario", PlayedAnswer, {
          scenario: named(name),
          action,
          duration_s: flags.duration,
        });
  process.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : `${JSON.stringify(answer, null, 2)}\n`);
}

function named(name: string | undefined): string {
  if (name) return name;
  throw skadiError("SKADI_INVALID_FIELD", { field: "name", expected: "the name of a scenario" });
}
