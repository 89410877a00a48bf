import { Argument, Command } from "commander";
import { numberOption } from "../../shared/cli.ts";
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
    .option("--url <url>", "the aggregator", "http://127.0.0.1:8000")
    .option("--duration <s>", "how long it lasts, in simulated seconds", numberOption(1, 86_400), 300)
    .option("--json", "print the answer as JSON")
    .action(scenario);
}

async function scenario(
  action: "start" | "stop" | "list",
  name: string | undefined,
  flags: Flags,
): Promise<void> {
  const answer =
    action === "list" ? await ask(`${flags.url}/demo/scenarios`) : await control(action, name, flags);
  process.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : `${JSON.stringify(answer, null, 2)}\n`);
}

function control(action: "start" | "stop", name: string | undefined, flags: Flags): Promise<unknown> {
  if (!name) throw skadiError("SKADI_INVALID_FIELD", { field: "name", expected: "the name of a scenario" });
  const body = JSON.stringify({ scenario: name, action, duration_s: flags.duration });
  const headers = { "content-type": "application/json" };
  return ask(`${flags.url}/demo/scenario`, { method: "POST", headers, body });
}

async function ask(url: string, request: RequestInit = {}): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    const reason = error instanceof Error ? (error.cause ?? error.message) : error;
    throw skadiError("SKADI_NOT_FOUND", {
      field: "--url",
      value: url,
      expected: `a running aggregator (${reason})`,
    });
  }
  const answer = await response.json();
  if (response.ok) return answer;
  throw skadiError("SKADI_CONFLICT", { field: "answer", value: answer, expected: "HTTP 2xx" });
}
