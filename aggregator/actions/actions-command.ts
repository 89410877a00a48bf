import { Command, InvalidArgumentError, Option } from "commander";
import { integerOption, numberOption } from "../../shared/cli.ts";
import { Action } from "../../shared/contracts/action.ts";
import { ActionAnswer, ActionsAnswer } from "../../shared/contracts/answers.ts";
import { Overview } from "../../shared/contracts/overview.ts";
import type { ChainHead, Verification } from "../audit/chain.ts";
import { verifyDataFolder } from "../audit/verify-file.ts";
import { type AggregatorClient, unknownId } from "../cli/client.ts";
import { confirmed } from "../cli/confirm.ts";
import { defaultCommand } from "../cli/default-command.ts";
import { nearestId, resolve } from "../cli/nearest.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { colours, print, tableOr } from "../cli/output.ts";
import { readConfig } from "../cli-config.ts";
import {
  actionColumns,
  actionLines,
  approvalText,
  changeText,
  explanation,
  type Now,
  shortId,
} from "./action-text.ts";

interface ListFlags extends ClientFlags {
  limit: number;
  rack?: string;
  source?: Action["source"];
  outcome?: Action["outcome"];
}

interface ApproveFlags extends ClientFlags {
  yes?: boolean;
  wait: number;
}

interface VerifyFlags {
  config?: string;
  head: ChainHead[];
  json?: boolean;
}

/** As many as the API gives; older ones are known by `report` alone. */
const LISTED_MAX = 10_000;

/** `skadi-aggregator actions`: what was decided, driven or advised, and why; `verify` holds the log to its chain. */
export function actionsCommand(): Command {
  const actions = new Command("actions").description(
    "what was decided, driven or advised on the site, and why",
  );
  withClientOptions(defaultCommand(actions, "list"))
    .description("list actions, newest first")
    .option("--limit <n>", "at most so many", integerOption(1, LISTED_MAX), 20)
    .option("--rack <id>", "only of this rack")
    .addOption(new Option("--source <source>", "only from there").choices(Action.shape.source.options))
    .addOption(new Option("--outcome <outcome>", "only these").choices(Action.shape.outcome.options))
    .action(list);
  withClientOptions(actions.command("show"))
    .description("show every field of one action")
    .argument("<id>", "its id, or the part of it that the list shows")
    .action(show);
  withClientOptions(actions.command("explain"))
    .description("tell why an action was decided, what it was meant to do and what came of it")
    .argument("<id>", "its id, or the part of it that the list shows")
    .action(explain);
  withClientOptions(actions.command("approve"), { controls: true })
    .description(
      "have a recommendation driven once, whatever the mode; the agent's limits and the kill switch hold",
    )
    .argument("<id>", "its id, or the part of it that the list shows")
    .option("--yes", "do not ask")
    .option("--wait <s>", "how long to wait for the agent's answer", numberOption(0, 600), 10)
    .action(approve);
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

async function list(flags: ListFlags): Promise<void> {
  const { limit, rack, source, outcome } = flags;
  const filtered = rack !== undefined || source !== undefined || outcome !== undefined;
  const query = { limit: filtered ? LISTED_MAX : limit };
  const answer = await clientOf(flags).get("/actions/log", ActionsAnswer, query);
  const actions = answer.actions
    .filter((action) => rack === undefined || action.rack_id === rack)
    .filter((action) => source === undefined || action.source === source)
    .filter((action) => outcome === undefined || action.outcome === outcome)
    .slice(0, limit);
  print(
    { actions, total: answer.total },
    () => tableOr("No actions", actionColumns(colours, Date.now()), actions),
    flags,
  );
}

async function show(asked: string, flags: ClientFlags): Promise<void> {
  const action = await find(clientOf(flags), asked);
  print({ action }, () => actionLines(action, colours), flags);
}

async function explain(asked: string, flags: ClientFlags): Promise<void> {
  const client = clientOf(flags);
  const action = await find(client, asked);
  const now = await nowOf(client, action);
  print({ action, now }, () => explanation(action, now, colours), flags);
}

async function approve(asked: string, flags: ApproveFlags): Promise<void> {
  const client = clientOf(flags);
  const advice = await find(client, asked);
  const { mode } = await nowOf(client, advice);
  const what = `Drive ${advice.rack_id ?? "the site"}, in mode ${mode}: ${changeText(advice)} (${advice.reason})?`;
  if (!(await confirmed(what, flags.yes))) return;
  await client.control("/actions/apply", ActionAnswer, { action_id: advice.id });
  const action = await answered(client, advice.id, flags.wait);
  print({ action }, () => [approvalText(action)], flags);
  if (action.outcome !== "applied") process.exitCode = 1;
}

const POLL_MS = 250;

/** The action once the rack's agent has said what became of it, or as it is when the time is over. */
async function answered(client: AggregatorClient, id: string, wait_s: number): Promise<Action> {
  const until = performance.now() + wait_s * 1000;
  for (;;) {
    const action = await find(client, id);
    if (action.outcome !== "sent" || performance.now() >= until) return action;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** How things are where the action is meant for. */
async function nowOf(client: AggregatorClient, { rack_id }: Action): Promise<Now> {
  const { ts, kill_switch, rack_list, mode } = await client.get("/state/overview", Overview);
  const rack = rack_list.find((known) => known.rack_id === rack_id) ?? null;
  return { ts, mode: rack?.mode ?? mode, kill_switch, rack };
}

async function find(client: AggregatorClient, asked: string): Promise<Action> {
  const { actions } = await client.get("/actions/log", ActionsAnswer, { limit: LISTED_MAX });
  const ids = actions.map(({ id }) => id);
  const id = resolve(asked, ids, shortId);
  const action = actions.find((known) => known.id === id);
  if (action) return action;
  throw unknownId("id", asked, nearestId(asked, ids, shortId), "skadi-aggregator actions list");
}

function verify(flags: VerifyFlags): void {
  const result = verifyDataFolder(readConfig(flags.config).data_dir, flags.head);
  print(result, () => verdictLines(result), flags);
  if (!result.ok) process.exitCode = 1;
}

function notedHead(text: string, others: ChainHead[]): ChainHead[] {
  const [, seq, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (!seq || !hash) throw new InvalidArgumentError("expected <seq>:<64 hexadecimal digits>");
  return [...others, { seq: Number(seq), hash }];
}

function verdictLines(verification: Verification): string[] {
  const { ok, rows, head, anchored_at, checkpoints, rows_since_checkpoint, problem } = verification;
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
  return lines;
}
