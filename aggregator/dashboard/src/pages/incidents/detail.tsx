import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Incident } from "../../../../../shared/contracts/incident.ts";
import { post } from "../../data/api.ts";
import { useQuery } from "../../data/query.ts";
import { causeText } from "../../format/words.ts";
import { Situation, useSituation } from "../../parts/situation.tsx";
import { href } from "../../router.ts";
import { Badge, SeverityBadge } from "../../ui/badge.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { PageHead, Panel } from "../../ui/panel.tsx";
import { Empty, Loading, Problem } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { Timeline } from "../../ui/timeline.tsx";
import { attempt } from "../../ui/toast.tsx";
import { NotFound } from "../not-found.tsx";
import { Evidence } from "./evidence.tsx";
import { Status } from "./inbox.tsx";

export function Detail({ id }: { id: string }): JSX.Element {
  const { data, error, reload } = useQuery<{ incident: Incident }>(`/incidents/${encodeURIComponent(id)}`, {
    on: ["incident"],
    every_ms: 10_000,
  });
  const { actions } = useSituation();
  if (error?.status === 404) return <NotFound what="incident" />;
  if (!data) return error ? <Problem error={error} retry={reload} /> : <Loading lines={8} />;
  const { incident } = data;
  return (
    <>
      <PageHead title={incident.title}>
        <SeverityBadge severity={incident.severity} />
        <span class="beside">
          <a href={href("incidents")}>All incidents</a>
        </span>
      </PageHead>
      {error ? <Problem error={error} retry={reload} /> : null}
      {incident.merged_into ? (
        <p class="all-well transient">
          This turned out to be a part of a{" "}
          <a href={href("incidents", incident.merged_into)}>wider incident</a>.
        </p>
      ) : null}
      {incident.status === "closed" ? null : <Situation incident={incident} actions={actions} />}
      <Deeds incident={incident} reload={reload} />
      <div class="rack-grid cause-first">
        <div class="rack-main">
          <Panel title="Timeline">
            <History incident={incident} />
          </Panel>
          <Racks incident={incident} />
        </div>
        <div class="rack-side">
          <Panel title="Cause">
            {incident.verdict ? (
              <Evidence verdict={incident.verdict} />
            ) : (
              <Empty icon="info" title="Not clear yet">
                The alarm has not stood long enough to say, or only a sensor is concerned.
              </Empty>
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}

/** What a person can do about it. */
function Deeds({ incident, reload }: { incident: Incident; reload: () => void }): JSX.Element {
  const [text, setText] = useState("");
  const { id, status, judged } = incident;
  const say = async (word: string, done: string) => {
    const path = `/incidents/${encodeURIComponent(id)}/${word}`;
    if (await attempt(() => post(path, { text: text.trim() }), done)) {
      setText("");
      reload();
    }
  };
  const close = async () => {
    const sure = await confirm({
      title: "Close this incident?",
      text: "It ends by itself once its racks have been well for a while. Closed by hand, it opens again if an alarm comes back after it has ended.",
      action: "Close incident",
    });
    if (sure) await say("close", "Closed");
  };
  return (
    <Panel title="In your hands" aside={<Status incident={incident} />}>
      <form
        class="deeds"
        onSubmit={(event) => {
          event.preventDefault();
          void say("annotate", "Noted");
        }}
      >
        <label class="field">
          <span>Note</span>
          <input
            value={text}
            maxLength={2000}
            placeholder="What you found, what you did"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <div class="deed-buttons">
          <button type="submit" disabled={text.trim() === ""}>
            Add note
          </button>
          {status === "open" ? (
            <button type="button" class="primary" onClick={() => say("ack", "You are on it")}>
              Acknowledge
            </button>
          ) : null}
          {status === "closed" ? null : (
            <button type="button" onClick={close}>
              Close
            </button>
          )}
          {judged === null ? (
            <>
              <button type="button" onClick={() => say("confirm", "Confirmed: MMS learns from it")}>
                It was real
              </button>
              <button type="button" onClick={() => say("reject", "Rejected: MMS learns from it")}>
                False alarm
              </button>
            </>
          ) : null}
        </div>
      </form>
    </Panel>
  );
}

const KINDS: Record<Incident["timeline"][number]["kind"], string> = {
  opened: "Opened",
  rack_joined: "Joined",
  rack_recovered: "Well again",
  widened: "Widened",
  merged: "Merged",
  cause: "Cause",
  severity: "Severity",
  maintenance_over: "Maintenance over",
  acknowledged: "Acknowledged",
  annotated: "Note",
  confirmed: "Confirmed",
  rejected: "False alarm",
  closed: "Closed",
  reopened: "Opened again",
};

type Entry = Incident["timeline"][number];

/** Racks that join or recover one after the other are one line: a row has a dozen of them. */
function folded(timeline: readonly Entry[]): Entry[] {
  const entries: Entry[] = [];
  for (const entry of timeline) {
    const last = entries.at(-1);
    const of_a_rack = entry.kind === "rack_joined" || entry.kind === "rack_recovered";
    if (of_a_rack && last?.kind === entry.kind)
      entries[entries.length - 1] = { ...entry, text: `${last.text}, ${entry.text}` };
    else entries.push(entry);
  }
  return entries;
}

function History({ incident }: { incident: Incident }): JSX.Element {
  const entries = folded(incident.timeline);
  return (
    <Timeline label="What happened, newest first">
      {entries.toReversed().map(({ ts, kind, by, text }, index) => (
        <li key={entries.length - index} class={by === "skadi" ? "" : "by-person"}>
          <Time ts={ts} />
          <span>
            <strong>{KINDS[kind]}</strong>
            {by === "skadi" ? "" : ` by ${by}`}
            {text ? <span class="row-note">{text}</span> : null}
          </span>
        </li>
      ))}
    </Timeline>
  );
}

function Racks({ incident }: { incident: Incident }): JSX.Element {
  return (
    <Panel title="Racks">
      <Table
        caption="Racks of the incident"
        rows={incident.racks}
        rowKey={({ rack_id }) => rack_id}
        columns={[
          { title: "Rack", cell: ({ rack_id }) => <a href={href("racks", rack_id)}>{rack_id}</a> },
          { title: "Since", cell: ({ since }) => <Time ts={since} /> },
          {
            title: "State",
            cell: ({ recovered_at }) =>
              recovered_at === null ? (
                <Badge tone="bad" shape="square">
                  Alarm
                </Badge>
              ) : (
                <>
                  <Badge tone="ok" shape="dot">
                    Well
                  </Badge>{" "}
                  <Time ts={recovered_at} />
                </>
              ),
          },
          {
            title: "By itself",
            minor: true,
            cell: ({ verdict, sensors }) =>
              sensors.length > 0 ? sensors.join(", ") : verdict ? causeText(verdict) : "not clear",
          },
        ]}
      />
    </Panel>
  );
}
