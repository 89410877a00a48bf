import type { Incident } from "../../shared/contracts/incident.ts";

/** One word to people: about one incident, or about several at once. */
export interface Notice {
  site: string;
  /** What this is about; a digest has several. */
  incidents: Incident[];
  subject: string;
  text: string;
}

export function noticeOf(site: string, incidents: Incident[]): Notice {
  if (incidents.length === 1) {
    const [incident] = incidents as [Incident];
    return { site, incidents, subject: subjectOf(site, incident), text: describe(incident) };
  }
  const worst = incidents.filter(({ severity }) => severity === "critical").length;
  const subject = `[Skadi ${site}] ${incidents.length} incidents${worst > 0 ? `, ${worst} critical` : ""}`;
  return { site, incidents, subject, text: incidents.map((i) => `- ${lineOf(i)}`).join("\n") };
}

const lineOf = ({ severity, status, title, opened_at, id }: Incident): string =>
  `${severity}, ${status}: ${title} (since ${opened_at}, ${id})`;

function subjectOf(site: string, { severity, status, title }: Incident): string {
  return `[Skadi ${site}] ${status === "closed" ? "over" : severity}: ${title}`;
}

function describe(incident: Incident): string {
  const { verdict, racks, timeline } = incident;
  const lines = [lineOf(incident), "", `Racks: ${racks.map(({ rack_id }) => rack_id).join(", ")}`];
  if (verdict) {
    const percent = Math.round(verdict.confidence * 100);
    const cause = verdict.sub_cause ? `${verdict.cause} (${verdict.sub_cause})` : verdict.cause;
    lines.push(`Cause: ${cause}, ${percent} %`);
    for (const { name, value, unit } of verdict.evidence.slice(0, 3)) {
      lines.push(`  ${name} ${value === null ? "unknown" : value.toFixed(1)} ${unit}`);
    }
  }
  lines.push("", ...timeline.slice(-10).map(({ ts, kind, by, text }) => `${ts}  ${kind} (${by}): ${text}`));
  return lines.join("\n");
}
