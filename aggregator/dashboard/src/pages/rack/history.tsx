import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { RackHistory } from "../../../../../shared/contracts/rack-view.ts";
import { causeText, changeText, KINDS, SOURCES } from "../../format/words.ts";
import { explain } from "../../parts/explain.tsx";
import { href } from "../../router.ts";
import { Badge, OutcomeBadge, SeverityBadge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

const SHOWN_AT_FIRST = 8;

export function ActionHistory({ actions }: Pick<RackHistory, "actions">): JSX.Element {
  const [all, setAll] = useState(false);
  const more = actions.length - SHOWN_AT_FIRST;
  return (
    <Panel
      title="Actions"
      aside={
        more > 0 ? (
          <button type="button" class="link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show ${more} more`}
          </button>
        ) : null
      }
    >
      {actions.length === 0 ? <p class="quiet">Nothing was done or advised here in seven days.</p> : null}
      {actions.length > 0 ? (
        <Table
          caption="Actions on this rack, newest first"
          rows={all ? actions : actions.slice(0, SHOWN_AT_FIRST)}
          rowKey={({ id }) => id}
          columns={[
            { title: "When", cell: ({ ts }) => <Time ts={ts} /> },
            { title: "What", cell: changeText },
            { title: "Who", minor: true, cell: ({ source, kind }) => `${SOURCES[source]}, ${KINDS[kind]}` },
            { title: "Outcome", cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
            { title: "Reason", minor: true, cell: ({ reason }) => reason },
            {
              title: "Why",
              cell: (action) => (
                <button
                  type="button"
                  class="link"
                  aria-label={`Explain ${changeText(action)}`}
                  onClick={() => explain(action)}
                >
                  Explain
                </button>
              ),
            },
          ]}
        />
      ) : null}
    </Panel>
  );
}

export function IncidentHistory({ incidents }: Pick<RackHistory, "incidents">): JSX.Element {
  const shown = incidents.filter(({ merged_into }) => merged_into === null);
  return (
    <Panel title="Incidents">
      {shown.length === 0 ? <p class="quiet">This rack has been part of no incident.</p> : null}
      <ul class="incident-list">
        {shown.map(({ id, title, severity, status, opened_at, verdict }) => (
          <li key={id}>
            <SeverityBadge severity={severity} />
            <span>
              <a href={href("incidents", id)}>{title}</a>
              <span class="quiet">
                {" "}
                {verdict ? causeText(verdict) : "cause not clear"}, <Time ts={opened_at} form="date" />
              </span>
            </span>
            <Badge tone={status === "open" ? "warn" : "muted"}>{status}</Badge>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
