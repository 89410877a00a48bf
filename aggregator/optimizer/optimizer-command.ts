import { Command } from "commander";
import { OptimizerAnswer, OptimizerRound } from "../../shared/contracts/optimizer.ts";
import { defaultCommand } from "../cli/default-command.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { colours, print } from "../cli/output.ts";
import { instant, plain } from "../cli/text.ts";

/** `skadi-aggregator optimizer`: what decides in the slow loop, and what came of its last round. */
export function optimizerCommand(): Command {
  const optimizer = new Command("optimizer").description("what the slow loop decided, and why not more");
  withClientOptions(defaultCommand(optimizer, "show")).description("show its last round").action(show);
  withClientOptions(optimizer.command("tick"), { controls: true })
    .description("run a round now; changes of one device still keep their distance")
    .action(tick);
  return optimizer;
}

async function show(flags: ClientFlags): Promise<void> {
  const answer = await clientOf(flags).get("/optimizer", OptimizerAnswer);
  const { policy, interval_s, last } = answer;
  const none = `Policy ${policy}: its first round is due within ${interval_s} s of the aggregator's start`;
  print(answer, () => (last ? roundLines(last) : [none]), flags);
}

async function tick(flags: ClientFlags): Promise<void> {
  const round = await clientOf(flags).control("/optimizer/tick", OptimizerRound, {});
  print(round, () => roundLines(round), flags);
}

function roundLines({ ts, mode, policy, plan_ms, summary, actions }: OptimizerRound): string[] {
  const { bold, dim } = colours;
  return [
    `${bold(policy)}, ${mode.replace("_", " ")}  ${dim(`${instant(ts)}, planned in ${plan_ms.toFixed(0)} ms`)}`,
    ...summary.map(plain),
    ...(actions.length > 0 ? [`${dim("→")} skadi-aggregator actions list --source optimizer`] : []),
  ];
}
