import type { JSX } from "preact";
import type { Action } from "../../../../shared/contracts/action.ts";
import type { Incident } from "../../../../shared/contracts/incident.ts";
import { rackSignal, site } from "../data/live.ts";
import { useQuery } from "../data/query.ts";
import { count, share } from "../format/numbers.ts";
import { since } from "../format/time.ts";
import { CAUSES, causeText, FEATURE_LABELS } from "../format/words.ts";
import { href } from "../router.ts";
import { Badge, OutcomeBadge, SeverityBadge, severityTone } from "../ui/badge.tsx";
import { Icon } from "../ui/icons.tsx";
import { advisoryText } from "./advisory.ts";
import { type Doing, doingAbout, movesText } from "./doing.ts";

const SHOWN_RACKS = 12;
const SHOWN_EVIDENCE = 3;
/** The guardrail acts before an alarm has lasted long enough to be an incident. */
const BEFORE_MS = 300_000;

/** Incidents that are not over, the worst first, and the actions that may belong to them. */
export function useSituation(): { incidents: Incident[] | null; actions: Action[]; error: Error | null } {
  const incidents = useQuery<{ incidents: Incident[] }>("/incidents?limit=50", {
    on: ["incident"],
    every_ms: 10_000,
  });
  const actions = useQuery<{ actions: Action[] }>("/actions/log?limit=500", { on: ["action"] });
  const order = ["critical", "warning", "info"];
  const open = incidents.data?.incidents
    .filter(({ status, merged_into }) => status !== "closed" && merged_into === null)
    .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  return {
    incidents: open ?? null,
    actions: actions.data?.actions ?? [],
    error: incidents.error ?? actions.error,
  };
}

/** One incident in four answers: what is wrong, where, why, and what Skadi does about it. */
export function Situation({
  incident,
  actions,
}: {
  incident: Incident;
  actions: readonly Action[];
}): JSX.Element {
  const { id, severity, status, title, opened_at, acknowledged_by, maintenance } = incident;
  const standing = incident.racks.filter(({ recovered_at }) => recovered_at === null);
  const racks = (standing.length > 0 ? standing : incident.racks).toSorted((a, b) =>
    a.rack_id < b.rack_id ? -1 : 1,
  );
  const ids = new Set(racks.map(({ rack_id }) => rack_id));
  const doing = doingAbout(actions, ids, Date.parse(opened_at) - BEFORE_MS);
  return (
    <article class={`situation ${severityTone(severity)}`} aria-labelledby={`incident-${id}`}>
      <div class="answer">
        <h2 class="answer-name">What</h2>
        <p class="situation-title" id={`incident-${id}`}>
          <a href={href("incidents", id)}>{title}</a>
        </p>
        <p class="badges">
          <SeverityBadge severity={severity} />
          <Badge tone={status === "open" ? "warn" : "muted"}>
            {status === "open" ? "Nobody on it" : `${acknowledged_by ?? "somebody"} is on it`}
          </Badge>
          {maintenance ? <Badge tone="muted">Maintenance</Badge> : null}
          <span class="quiet">for {since(opened_at)}</span>
        </p>
      </div>
      <div class="answer">
        <h2 class="answer-name">Where</h2>
        <p>{whereText(incident, racks.length)}</p>
        <p class="rack-links">
          {racks.slice(0, SHOWN_RACKS).map(({ rack_id }) => (
            <a key={rack_id} href={href("racks", rack_id)}>
              {rack_id}
            </a>
          ))}
          {racks.length > SHOWN_RACKS ? <span class="quiet">+{racks.length - SHOWN_RACKS}</span> : null}
        </p>
      </div>
      <div class="answer">
        <h2 class="answer-name">Why</h2>
        <Why incident={incident} />
      </div>
      <div class="answer">
        <h2 class="answer-name">Skadi</h2>
        <SkadiDoes doing={doing} rack_ids={[...ids]} />
      </div>
    </article>
  );
}

function whereText({ scope, row }: Incident, racks: number): string {
  if (scope === "site") return `The whole site, ${count(racks, "rack")}`;
  if (scope === "row") return `Row ${row}, ${count(racks, "rack")}`;
  return racks === 1 ? `One rack in row ${row ?? "?"}` : `${count(racks, "rack")} in row ${row ?? "?"}`;
}

function Why({ incident }: { incident: Incident }): JSX.Element {
  const { verdict } = incident;
  const sensors = [...new Set(incident.racks.flatMap((rack) => rack.sensors))];
  if (!verdict) {
    const what = sensors.length > 0 ? `Sensors: ${sensors.join(", ")}` : "The cause is not clear yet.";
    return <p class={sensors.length > 0 ? "" : "quiet"}>{what}</p>;
  }
  // The rest speaks against it.
  const evidence = verdict.evidence.filter(({ weight }) => weight > 0);
  return (
    <>
      <p>
        <strong>{causeText(verdict)}</strong> <span class="quiet">{sureText(verdict.confidence)}</span>
      </p>
      <p class="quiet">{CAUSES[verdict.cause].meaning}</p>
      <ul class="evidence">
        {evidence.slice(0, SHOWN_EVIDENCE).map(({ name, value, unit }) => (
          <li key={name}>{evidenceText(name, value, unit)}</li>
        ))}
      </ul>
    </>
  );
}

/** Nothing is ever quite sure. */
export const sureText = (confidence: number): string =>
  confidence > 0.99 ? `over ${share(0.99)} sure` : `${share(confidence)} sure`;

/** `Inlet 3.2 σ above normal` */
export function evidenceText(name: string, value: number | null, unit: "std" | "share"): string {
  const label = FEATURE_LABELS[name] ?? name.replaceAll("_", " ");
  if (value === null) return `${label}: not seen`;
  if (unit === "share") return `${label}: ${share(value)}`;
  return `${label} ${Math.abs(value).toFixed(1)}\u202fσ ${value >= 0 ? "above" : "below"} normal`;
}

function SkadiDoes({
  doing,
  rack_ids,
}: {
  doing: readonly Doing[];
  rack_ids: readonly string[];
}): JSX.Element {
  const { kill_switch } = site.value!;
  const advisory = advisoryText(rack_ids.flatMap((rack_id) => rackSignal(rack_id)?.value.mode ?? []));
  return (
    <>
      {kill_switch ? (
        <p class="tone-bad">
          <Icon name="power" size={16} /> The kill switch is on: nothing is driven.
        </p>
      ) : advisory ? (
        <p class="tone-info">{advisory}</p>
      ) : null}
      {doing.length === 0 ? <p class="quiet">Watches; no action was called for yet.</p> : null}
      <ul class="doing">
        {doing.map((item) => (
          <li key={item.outcome}>
            <OutcomeBadge outcome={item.outcome} /> on {count(item.racks, "rack")}
            {movesText(item).map((line) => (
              <span key={line} class="move">
                {line}
              </span>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}
