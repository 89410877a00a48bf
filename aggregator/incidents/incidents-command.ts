import { Command, Option } from "commander";
import { integerOption } from "../../shared/cli.ts";
import { IncidentAnswer, IncidentsAnswer } from "../../shared/contracts/answers.ts";
import { type Incident, IncidentStatus, Severity } from "../../shared/contracts/incident.ts";
import { type AggregatorClient, unknownId } from "../cli/client.ts";
import { defaultCommand } from "../cli/default-command.ts";
import { nearestId, resolve } from "../cli/nearest.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { colours, print, tableOr, userName } from "../cli/output.ts";
import { plain } from "../cli/text.ts";
import { incidentColumns, incidentLines, shortId } from "./incident-text.ts";

interface ListFlags extends ClientFlags {
  all?: boolean;
  status?: IncidentStatus;
  severity?: Severity;
  limit: number;
}

interface WordFlags extends ClientFlags {
  by?: string;
  text?: string;
}

const WORDS = {
  ack: "say that somebody looks after it",
  close: "end it by hand; it opens again if an alarm comes back after it has ended",
  annotate: "add a line to its timeline",
  confirm: "it was real: the anomalous score model learns from it",
  reject: "it was a false alarm: the nominal score model learns from it",
} as const;

/** As many as the API gives. */
const LISTED_MAX = 1_000;

/** `skadi-aggregator incidents`: what is wrong, since when, why, and who looks after it. */
export function incidentsCommand(): Command {
  const incidents = new Command("incidents").description(
    "what is wrong on the site, why, and who looks after it",
  );
  withClientOptions(defaultCommand(incidents, "list"))
    .description("list incidents, newest first; those that are not closed, unless asked otherwise")
    .option("--all", "closed ones too")
    .addOption(new Option("--status <status>", "only these").choices(IncidentStatus.options))
    .addOption(new Option("--severity <severity>", "only these").choices(Severity.options))
    .option("--limit <n>", "at most so many", integerOption(1, LISTED_MAX), 100)
    .action(list);
  withClientOptions(incidents.command("show"))
    .description("tell of one incident: racks, cause, evidence and timeline")
    .argument("<id>", "its id, or the part of it that the list shows")
    .action(show);
  for (const [word, description] of Object.entries(WORDS)) {
    const command = withClientOptions(incidents.command(word), { controls: true })
      .description(description)
      .argument("<ids...>", "one or more ids, or the parts of them that the list shows")
      .option("--by <name>", "who says so (default: your user name)");
    if (word === "annotate") command.requiredOption("--text <text>", "the line");
    else command.option("--text <text>", "why, for the timeline");
    command.action((ids: string[], flags: WordFlags) => say(word, ids, flags));
  }
  return incidents;
}

async function list(flags: ListFlags): Promise<void> {
  const { all, status, severity, limit } = flags;
  const client = clientOf(flags);
  // Asked for by their status: an old one that is open must not drown in newer ones that are closed.
  const asked = status !== undefined ? [status] : all ? [undefined] : (["open", "acknowledged"] as const);
  const answers = await Promise.all(
    asked.map((one) => client.get("/incidents", IncidentsAnswer, { status: one, severity, limit })),
  );
  const incidents = answers
    .flatMap((answer) => answer.incidents)
    .sort((a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at))
    .slice(0, limit);
  print(
    { incidents },
    () => tableOr(nothing(flags), incidentColumns(colours, siteNow(incidents)), incidents),
    flags,
  );
}

/** Our clock, unless the site's is known to be ahead of it, as a simulation's is. */
const siteNow = (incidents: readonly Incident[]) =>
  Math.max(Date.now(), ...incidents.map(({ updated_at }) => Date.parse(updated_at)));

function nothing({ all, status, severity }: ListFlags): string {
  if (status !== undefined || severity !== undefined) return "No such incidents";
  return all ? "No incidents" : "No open incidents (--all lists closed ones too)";
}

async function show(asked: string, flags: ClientFlags): Promise<void> {
  const incident = pick(await listed(clientOf(flags)), asked);
  print({ incident }, () => incidentLines(incident, colours, siteNow([incident])), flags);
}

/** Nothing is said of any where one is unknown. */
async function say(word: string, asked: readonly string[], flags: WordFlags): Promise<void> {
  const client = clientOf(flags);
  const known = await listed(client);
  const ids = new Set(asked.map((one) => pick(known, one).id));
  const { by = userName(), text = "" } = flags;
  const done: Incident[] = [];
  try {
    for (const id of ids)
      done.push((await client.control(`/incidents/${id}/${word}`, IncidentAnswer, { by, text })).incident);
  } finally {
    // Where one is refused, those before it have still been told.
    if (done.length > 0) printSaid(done, by, flags);
  }
}

function printSaid(incidents: readonly Incident[], by: string, flags: ClientFlags): void {
  const line = ({ id, timeline, title }: Incident) =>
    `${shortId(id)}: ${timeline.at(-1)?.kind} by ${plain(by)}. ${plain(title)}`;
  const answer = incidents.length === 1 ? { incident: incidents[0] } : { incidents };
  print(answer, () => incidents.map(line), flags);
}

const listed = async (client: AggregatorClient): Promise<Incident[]> =>
  (await client.get("/incidents", IncidentsAnswer, { limit: LISTED_MAX })).incidents;

function pick(incidents: readonly Incident[], asked: string): Incident {
  const ids = incidents.map(({ id }) => id);
  const id = resolve(asked, ids, shortId);
  const incident = incidents.find((known) => known.id === id);
  if (incident) return incident;
  throw unknownId("id", asked, nearestId(asked, ids, shortId), "skadi-aggregator incidents list --all");
}
