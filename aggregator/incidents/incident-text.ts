import type { Colours } from "../../shared/colours.ts";
import type { Incident } from "../../shared/contracts/incident.ts";
import type { Column } from "../cli/table.ts";
import { figure, instant, plain, span } from "../cli/text.ts";

/** The part of an incident's id that tells it from others. */
export const shortId = (id: string): string => id.split("-").at(-1) ?? id;

const MARKS = { info: "·", warning: "▲", critical: "■" } as const;

/** With a shape beside the colour, for those who see no colours. */
export function severityText({ severity }: Pick<Incident, "severity">): string {
  return `${MARKS[severity]} ${severity}`;
}

export function severityPaint(colours: Colours, { severity }: Pick<Incident, "severity">) {
  return { info: colours.dim, warning: colours.yellow, critical: colours.red }[severity];
}

export function incidentColumns(colours: Colours, now_ms: number): Column<Incident>[] {
  return [
    { head: "ID", text: ({ id }) => shortId(id) },
    {
      head: "SEVERITY",
      text: severityText,
      paint: (text, incident) => severityPaint(colours, incident)(text),
    },
    { head: "STATUS", text: statusText, min: 12 },
    { head: "OPEN FOR", text: (incident) => duration(incident, now_ms), align: "right", drop: 1 },
    { head: "CONF", text: ({ verdict }) => percent(verdict?.confidence), align: "right", drop: 3 },
    { head: "WHAT", text: whatText, min: 20 },
  ];
}

/** One that turned out to be a part of a wider one has nothing to say of its own. */
const whatText = ({ title, merged_into }: Incident) =>
  merged_into === null ? title : `part of ${shortId(merged_into)}`;

function statusText({ status, acknowledged_by, closed_by, maintenance }: Incident): string {
  const by = status === "closed" ? closed_by : acknowledged_by;
  return `${status}${by && status !== "open" ? ` by ${by}` : ""}${maintenance ? " (maintenance)" : ""}`;
}

function duration({ opened_at, closed_at }: Incident, now_ms: number): string {
  return span((closed_at === null ? now_ms : Date.parse(closed_at)) - Date.parse(opened_at));
}

function lasting(incident: Incident, now_ms: number): string {
  const since = instant(incident.opened_at);
  const time = duration(incident, now_ms);
  return incident.closed_at === null ? `for ${time}, since ${since}` : `it lasted ${time}, from ${since}`;
}

const percent = (share: number | null | undefined) =>
  share === null || share === undefined ? "–" : `${figure(100 * share, 0)} %`;

/** All that is known of one incident. */
export function incidentLines(incident: Incident, colours: Colours, now_ms: number): string[] {
  const { bold, dim } = colours;
  const { id, racks, verdict, timeline, judged } = incident;
  const paint = severityPaint(colours, incident);
  const lines = [
    `${paint(severityText(incident))}  ${bold(plain(whatText(incident)))}`,
    `${plain(id)}  ${plain(statusText(incident))}; ${lasting(incident, now_ms)}`,
  ];
  if (judged) lines.push(`${judged} by people`);
  if (verdict) {
    const { sub_cause, confidence, causes, evidence } = verdict;
    lines.push("", bold("Cause"));
    lines.push(`  ${verdict.cause}${sub_cause ? ` (${sub_cause})` : ""}, ${percent(confidence)} sure`);
    const others = causes.filter((other) => other.cause !== verdict.cause && other.confidence >= 0.01);
    if (others.length > 0)
      lines.push(
        `  else  ${others.map((other) => `${other.cause} ${percent(other.confidence)}`).join(", ")}`,
      );
    for (const { name, value, unit, weight, against } of evidence) {
      const seen = `${plain(name)} ${unit === "share" ? percent(value) : `${figure(value, 2)} σ`}`;
      const other = plain(against);
      const side = weight >= 0 ? `for it rather than for ${other}` : `rather for ${other}`;
      lines.push(`  ${seen} ${dim(`speaks ${side} (${figure(Math.abs(weight), 1)})`)}`);
    }
  }
  lines.push("", bold("Racks"));
  for (const { rack_id, since, recovered_at, sensors, verdict: own } of racks) {
    const state = recovered_at === null ? "since" : "well again,";
    const what = [own?.cause, ...sensors].filter((text) => text !== undefined).join(", ");
    lines.push(`  ${rack_id}  ${state} ${instant(recovered_at ?? since)}${what ? `  ${plain(what)}` : ""}`);
  }
  lines.push("", bold("Timeline"));
  for (const { ts, kind, by, text } of timeline)
    lines.push(`  ${dim(instant(ts))}  ${kind} by ${plain(by)}${text ? `: ${plain(text)}` : ""}`);
  return lines;
}
