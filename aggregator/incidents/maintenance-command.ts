import { Command } from "commander";
import { CancelledAnswer, WindowAnswer, WindowsAnswer } from "../../shared/contracts/answers.ts";
import type { MaintenanceWindow } from "../../shared/contracts/incident.ts";
import { isoTime } from "../../shared/time.ts";
import { unknownId } from "../cli/client.ts";
import { defaultCommand } from "../cli/default-command.ts";
import { durationOption, instantOption } from "../cli/moments.ts";
import { nearestId, resolve } from "../cli/nearest.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { print, tableOr } from "../cli/output.ts";
import type { Column } from "../cli/table.ts";
import { instant } from "../cli/text.ts";

interface PlanFlags extends ClientFlags {
  rack?: string;
  row?: string;
  from?: number;
  to?: number;
  for?: number;
  reason: string;
}

/** `skadi-aggregator maintenance`: work that is announced, so that nobody is woken for it. */
export function maintenanceCommand(): Command {
  const maintenance = new Command("maintenance").description(
    "announce work on a rack, a row or the site: nobody is notified of what begins there",
  );
  withClientOptions(defaultCommand(maintenance, "list"))
    .description("list the windows, the next to end first")
    .action(list);
  withClientOptions(maintenance.command("plan"), { controls: true })
    .description("announce work: of one rack, one row or, with neither, the whole site")
    .option("--rack <id>", "this rack")
    .option("--row <row>", "this row")
    .option("--from <instant>", "begin, ISO 8601 (default: now)", instantOption)
    .option("--to <instant>", "end, ISO 8601", instantOption)
    .option("--for <duration>", "or how long: 30m, 2h, 1d", durationOption, 3_600_000)
    .option("--reason <text>", "what is done", "")
    .action(plan);
  withClientOptions(maintenance.command("cancel"), { controls: true })
    .description("cancel a window")
    .argument("<id>", "its id, or the part of it that the list shows")
    .action(cancel);
  return maintenance;
}

const shortId = (id: string) => id.slice(0, 8);
const place = ({ rack_id, row }: MaintenanceWindow) => rack_id ?? (row === null ? "the site" : `row ${row}`);

const COLUMNS: readonly Column<MaintenanceWindow>[] = [
  { head: "ID", text: ({ id }) => shortId(id) },
  { head: "WHERE", text: place },
  { head: "FROM", text: ({ from }) => instant(from), drop: 1 },
  { head: "TO", text: ({ to }) => instant(to) },
  { head: "REASON", text: ({ reason }) => reason, min: 10 },
];

async function list(flags: ClientFlags): Promise<void> {
  const answer = await clientOf(flags).get("/maintenance", WindowsAnswer);
  print(answer, () => tableOr("No maintenance is planned", COLUMNS, answer.windows), flags);
}

async function plan(flags: PlanFlags): Promise<void> {
  const { rack: rack_id = null, row = null, reason } = flags;
  const from_ms = flags.from ?? Date.now();
  const to = isoTime(flags.to ?? from_ms + (flags.for ?? 0));
  // Left out where it is now: the aggregator's clock decides.
  const from = flags.from === undefined ? {} : { from: isoTime(flags.from) };
  const answer = await clientOf(flags).control("/maintenance", WindowAnswer, {
    rack_id,
    row,
    to,
    reason,
    ...from,
  });
  const { window } = answer;
  print(answer, () => [`${shortId(window.id)}: ${place(window)} until ${instant(window.to)}`], flags);
}

async function cancel(asked: string, flags: ClientFlags): Promise<void> {
  const client = clientOf(flags);
  const { windows } = await client.get("/maintenance", WindowsAnswer);
  const ids = windows.map(({ id }) => id);
  const id = resolve(asked, ids, shortId);
  if (id === null)
    throw unknownId("id", asked, nearestId(asked, ids, shortId), "skadi-aggregator maintenance list");
  const answer = await client.remove(`/maintenance/${id}`, CancelledAnswer);
  print(answer, () => [`${shortId(answer.cancelled)}: cancelled`], flags);
}
