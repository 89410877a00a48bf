import { signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Incident, Severity } from "../../../../../shared/contracts/incident.ts";
import { useQuery } from "../../data/query.ts";
import { count, duration } from "../../format/numbers.ts";
import { since } from "../../format/time.ts";
import { causeText } from "../../format/words.ts";
import { sureText } from "../../parts/situation.tsx";
import { href } from "../../router.ts";
import { Badge, SeverityBadge } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { PageHead } from "../../ui/panel.tsx";
import { Empty, Loading, Problem } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { Maintenance } from "./maintenance.tsx";

type StatusFilter = "standing" | "closed" | "all";
type SeverityFilter = Severity | "any";

/** Kept while the page lives, so that going back from an incident finds the list as it was. */
const status = signal<StatusFilter>("standing");
const severity = signal<SeverityFilter>("any");
const row = signal<string>("any");

const STATUS_OPTIONS = [
  { value: "standing", label: "Not over" },
  { value: "closed", label: "Over" },
  { value: "all", label: "All" },
] as const;
const SEVERITY_OPTIONS = [
  { value: "any", label: "Any" },
  { value: "critical", label: "Critical" },
  { value: "warning", label: "Warning" },
  { value: "info", label: "Info" },
] as const;

const ASKED = 500;

export function Inbox(): JSX.Element {
  const { data, error, reload } = useQuery<{ incidents: Incident[] }>(`/incidents?limit=${ASKED}`, {
    on: ["incident"],
    every_ms: 10_000,
  });
  // One that turned out to be a part of another is found there.
  const own = data?.incidents.filter(({ merged_into }) => merged_into === null);
  return (
    <>
      <PageHead title="Incidents" />
      <div class="filters">
        <Choice
          label="Status"
          labelled
          value={status.value}
          options={STATUS_OPTIONS}
          onChange={set(status)}
        />
        <Choice
          label="Severity"
          labelled
          value={severity.value}
          options={SEVERITY_OPTIONS}
          onChange={set(severity)}
        />
        <RowFilter incidents={own ?? []} />
      </div>
      {error ? <Problem error={error} retry={reload} /> : null}
      {own ? <List incidents={own} /> : error ? null : <Loading lines={6} />}
      <Maintenance />
    </>
  );
}

const set =
  <T,>(filter: { value: T }) =>
  (value: T): void => {
    filter.value = value;
  };

function RowFilter({ incidents }: { incidents: readonly Incident[] }): JSX.Element | null {
  const rows = [...new Set(incidents.flatMap((incident) => incident.row ?? []))].sort();
  if (rows.length < 2 && row.value === "any") return null;
  return (
    <label class="field inline">
      <span>Row</span>
      <select value={row.value} onChange={(event) => set(row)(event.currentTarget.value)}>
        <option value="any">Any</option>
        {rows.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function passes(incident: Incident): boolean {
  const standing = incident.status !== "closed";
  if (status.value !== "all" && standing !== (status.value === "standing")) return false;
  if (severity.value !== "any" && incident.severity !== severity.value) return false;
  return row.value === "any" || incident.row === row.value;
}

function List({ incidents }: { incidents: readonly Incident[] }): JSX.Element {
  const shown = incidents.filter(passes);
  if (incidents.length === 0)
    return (
      <Empty title="No incident has been seen.">
        When a rack, a row or the site deviates for longer than a moment, it is listed here with its cause.
      </Empty>
    );
  if (shown.length === 0)
    return (
      <Empty title="None like that.">
        {count(incidents.length, "incident")} with other filters.{" "}
        <button
          type="button"
          class="link"
          onClick={() => {
            status.value = "all";
            severity.value = "any";
            row.value = "any";
          }}
        >
          Show all
        </button>
      </Empty>
    );
  return (
    <Table
      caption="Incidents, newest first"
      rows={shown}
      rowKey={({ id }) => id}
      columns={[
        {
          title: "Severity",
          cell: (incident) => (
            <span class="stack">
              <SeverityBadge severity={incident.severity} />
              <Status incident={incident} />
            </span>
          ),
        },
        { title: "What and where", cell: (incident) => <What incident={incident} /> },
        { title: "Likely cause", minor: true, cell: ({ verdict }) => <Cause verdict={verdict} /> },
        { title: "Opened", minor: true, cell: ({ opened_at }) => <Time ts={opened_at} form="date" /> },
      ]}
    />
  );
}

function What({ incident }: { incident: Incident }): JSX.Element {
  const { id, title, racks, maintenance } = incident;
  const standing = racks.filter(({ recovered_at }) => recovered_at === null).length;
  return (
    <>
      <a href={href("incidents", id)}>{title}</a>{" "}
      {maintenance ? <Badge tone="muted">Maintenance</Badge> : null}
      <span class="row-note">
        {standing === racks.length
          ? count(standing, "rack")
          : `${standing} of ${count(racks.length, "rack")} left`}
        , {lasted(incident)}
      </span>
    </>
  );
}

function Cause({ verdict }: Pick<Incident, "verdict">): JSX.Element {
  if (!verdict) return <span class="quiet">not clear yet</span>;
  return (
    <>
      {causeText(verdict)}
      <span class="row-note">{sureText(verdict.confidence)}</span>
    </>
  );
}

export function Status({ incident }: { incident: Incident }): JSX.Element {
  const { status: state, acknowledged_by, closed_by, judged } = incident;
  const who = state === "closed" ? closed_by : acknowledged_by;
  return (
    <span>
      <Badge
        tone={state === "open" ? "warn" : "muted"}
        {...(state === "open" && { shape: "triangle" as const })}
      >
        {state === "open" ? "Nobody on it" : state === "acknowledged" ? "In hand" : "Over"}
      </Badge>
      <span class="row-note">
        {who && who !== "skadi" ? `by ${who}` : ""}
        {judged ? ` ${judged === "confirmed" ? "was real" : "false alarm"}` : ""}
      </span>
    </span>
  );
}

function lasted({ opened_at, closed_at }: Incident): string {
  return closed_at === null
    ? `for ${since(opened_at)}`
    : `over after ${duration(Date.parse(closed_at) - Date.parse(opened_at))}`;
}
