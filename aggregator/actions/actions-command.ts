import { Command, InvalidArgumentError } from "commander";
import type { ChainHead, Verification } from "../audit/chain.ts";
import { verifyDataFolder } from "../audit/verify-file.ts";
import { readConfig } from "../cli-config.ts";

interface Flags {
  config?: string;
  head: ChainHead[];
  json?: boolean;
}

/** `skadi-aggregator actions verify`: exit code 1 if the action log is not what was recorded. */
export function actionsCommand(): Command {
  const actions = new Command("actions").description("the action log of a site");
  actions
    .command("verify")
    .description("find the first action that was altered, removed or put elsewhere")
    .option("--config <file>", "configuration (default: config/aggregator.yaml)")
    .option(
      "--head <seq:hash>",
      "a head that was noted elsewhere, and must be in the chain; may be repeated",
      notedHead,
      [],
    )
    .option("--json", "print the result as JSON")
    .action(verify);
  return actions;
}

function verify(flags: Flags): void {
  const result = verifyDataFolder(readConfig(flags.config).data_dir, flags.head);
  process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : readable(result));
  if (!result.ok) process.exitCode = 1;
}

function notedHead(text: string, others: ChainHead[]): ChainHead[] {
  const [, seq, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (!seq || !hash) throw new InvalidArgumentError("expected <seq>:<64 hexadecimal digits>");
  return [...others, { seq: Number(seq), hash }];
}

function readable({
  ok,
  rows,
  head,
  anchored_at,
  checkpoints,
  rows_since_checkpoint,
  problem,
}: Verification): string {
  const lines = [
    `${rows} rows${anchored_at > 0 ? ` after row ${anchored_at}, where retention ended` : ""}, ${checkpoints} signed checkpoints`,
    ...(head ? [`Head ${head.seq}:${head.hash}`] : []),
    ...(rows_since_checkpoint > 0
      ? [`${rows_since_checkpoint} rows are newer than the last checkpoint: their removal could not be told`]
      : []),
  ];
  if (problem) {
    const action = problem.action_id === null ? "" : ` (action ${problem.action_id})`;
    lines.push(`NOT intact: ${problem.reason}${action}: ${problem.detail}`);
  }
  if (ok) lines.push("Intact");
  return `${lines.join("\n")}\n`;
}
