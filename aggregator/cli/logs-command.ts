import { Command, InvalidArgumentError } from "commander";
import * as z from "zod";
import { integerOption } from "../../shared/cli.ts";
import { Action } from "../../shared/contracts/action.ts";
import { TimelineAnswer } from "../../shared/contracts/answers.ts";
import { Incident } from "../../shared/contracts/incident.ts";
import { Overview } from "../../shared/contracts/overview.ts";
import { rowOf } from "../../shared/contracts/rack.ts";
import { untilStopSignal } from "../../shared/process.ts";
import { isoTime } from "../../shared/time.ts";
import { changeText } from "../actions/action-text.ts";
import { eventText } from "../event-text.ts";
import { KEPT_EVENTS } from "../events.ts";
import { severityPaint } from "../incidents/incident-text.ts";
import { type AggregatorClient, unknownId } from "./client.ts";
import { eventsSince, followEvents, type LiveEvent } from "./follow.ts";
import { durationOption } from "./moments.ts";
import { nearest } from "./nearest.ts";
import { type ClientFlags, clientOf, withClientOptions } from "./options.ts";
import { colours, wrapped } from "./output.ts";
import { figure, instant, plain } from "./text.ts";

const TYPES = [...KEPT_EVENTS, "action", "rejection", "score"];
/** Every rack has one every few seconds. */
const TYPES_ON_REQUEST = ["score"];

interface Flags extends ClientFlags {
  follow?: boolean;
  type?: string[];
  rack?: string;
  row?: string;
  since: number;
  limit: number;
}

/** `skadi-aggregator logs`: what happened on the site, and what happens. */
export function logsCommand(): Command {
  return withClientOptions(new Command("logs"))
    .description("print what happened on the site; with --follow also what happens, until stopped")
    .option("-f, --follow", "go on; after a lost connection, with what was missed")
    .option(
      "--type <types>",
      `only these, comma-separated: ${TYPES.join(", ")} (default: all but score)`,
      types,
    )
    .option("--rack <id>", "only of this rack")
    .option("--row <row>", "only of this row's racks")
    .option("--since <duration>", "how far back: 90s, 30m, 2h, 1d", durationOption, 3_600_000)
    .option("--limit <n>", "of the past at most so many, the newest", integerOption(0, 10_000), 20)
    .action(logs);
}

function types(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !TYPES.includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`${unknown} is none of ${TYPES.join(", ")}`);
}

async function logs(flags: Flags): Promise<void> {
  const client = clientOf(flags);
  const say = (event: LiveEvent) => {
    if (!isWanted(event, flags)) return;
    process.stdout.write(`${flags.json ? JSON.stringify(event) : wrapped(logLine(event))}\n`);
  };
  // The aggregator's clock, which may be a simulation's.
  const { to: now } = await client.get("/timeline", TimelineAnswer, { limit: 1 });
  const past = await eventsSince(client, isoTime(Date.parse(now) - flags.since));
  const wanted = past.filter((event) => isWanted(event, flags));
  // A rack that is no longer of the site may still have its past.
  if (wanted.length === 0) await checkPlaces(client, flags);
  for (const event of flags.limit > 0 ? wanted.slice(-flags.limit) : []) say(event);
  if (!flags.follow) return;
  let lost = false;
  const stop = followEvents(client, {
    resume_from: past.at(-1)?.ts ?? now,
    // What was printed, or left out, does not come again.
    already: past,
    onEvent: say,
    onProblem: (problem) => process.stderr.write(`${plain(problem)}\n`),
    onLink(link) {
      if (link.up && lost)
        process.stderr.write("connected again; scores and rejections of the time between are not kept\n");
      if (!link.up && !lost) process.stderr.write(`${plain(link.reason)}; trying again\n`);
      lost = !link.up;
    },
  });
  await untilStopSignal();
  stop();
}

/** @throws SKADI_NOT_FOUND for a rack or row that the site does not have: silence would look like peace. */
async function checkPlaces(client: AggregatorClient, { rack, row }: Flags): Promise<void> {
  if (rack === undefined && row === undefined) return;
  const { rack_list } = await client.get("/state/overview", Overview);
  const places = [
    { field: "--rack", asked: rack, known: rack_list.map(({ rack_id }) => rack_id) },
    { field: "--row", asked: row, known: [...new Set(rack_list.map((each) => each.row))] },
  ];
  for (const { field, asked, known } of places) {
    if (asked !== undefined && !known.includes(asked))
      throw unknownId(field, asked, nearest(asked, known), "skadi-aggregator top --once");
  }
}

function isWanted({ type, rack_id, data }: LiveEvent, { type: asked, rack, row }: Flags): boolean {
  if (asked ? !asked.includes(type) : TYPES_ON_REQUEST.includes(type)) return false;
  const racks = rack_id !== null ? [rack_id] : z.array(z.string()).catch([]).parse(data.racks);
  if (rack !== undefined && !racks.includes(rack)) return false;
  return row === undefined || racks.some((id) => rowOf(id) === row);
}

/** What an incident's event holds of the incident. */
const IncidentEvent = Incident.pick({ id: true, severity: true, title: true }).extend({
  change: z.string().optional(),
});
const ScoreEvent = z.object({ d: z.number(), state: z.string() });

function logLine(event: LiveEvent): string {
  const { dim } = colours;
  const { ts, type, rack_id } = event;
  return `${dim(instant(ts))}  ${plain(type).padEnd(9)} ${plain(rack_id ?? "site").padEnd(7)} ${message(event)}`;
}

function message({ type, rack_id, data }: LiveEvent): string {
  const { red, yellow } = colours;
  if (type === "incident") {
    const incident = IncidentEvent.safeParse(data);
    if (incident.success) {
      const { severity, title, change } = incident.data;
      return `${severityPaint(colours, incident.data)(severity)} ${plain(title)}${change ? ` (${change})` : ""}`;
    }
  }
  if (type === "action") {
    const action = Action.safeParse(data);
    if (action.success) {
      const { source, outcome, reason } = action.data;
      return plain(`${source} ${outcome}: ${changeText(action.data)} (${reason})`);
    }
  }
  if (type === "score") {
    const score = ScoreEvent.safeParse(data);
    if (score.success) return `D ${figure(score.data.d, 2)} ${score.data.state}`;
  }
  const text = plain(eventText({ type, rack_id, data }));
  if (type === "mms") return data.state === "persistent" ? red(text) : text;
  return ["rollback", "quarantine", "command_refused", "rejection"].includes(type) ? yellow(text) : text;
}
