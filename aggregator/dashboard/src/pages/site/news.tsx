import type { JSX } from "preact";
import type { Action } from "../../../../../shared/contracts/action.ts";
import { events, type LiveEvent } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";
import { changeText, eventText, KINDS, SOURCES } from "../../format/words.ts";
import { href } from "../../router.ts";
import { OutcomeBadge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

const SHOWN = 40;
/** What only specialists want to follow. */
const LEFT_OUT = new Set(["action", "rejection", "overview", "gap"]);

interface Line {
  id: string;
  ts: string;
  action: Action | null;
  event: LiveEvent | null;
}

/** Actions and events as one story, newest first. */
export function News({ actions }: { actions: readonly Action[] }): JSX.Element {
  const history = useQuery<{ events: LiveEvent[] }>("/timeline?limit=60");
  const live = events.value;
  const known = new Set(live.map(({ id }) => id));
  const past = history.data?.events.filter(({ id }) => !known.has(id)) ?? [];
  const lines: Line[] = [
    ...[...live, ...past]
      .filter(({ type }) => !LEFT_OUT.has(type))
      .map((event) => ({ id: event.id, ts: event.ts, action: null, event })),
    ...actions.slice(0, SHOWN).map((action) => ({ id: action.id, ts: action.ts, action, event: null })),
  ]
    .sort((a, b) => Date.parse(b.ts) - Date.parse(a.ts))
    .slice(0, SHOWN);
  return (
    <Panel title="What happened" class="news-panel">
      {lines.length === 0 ? <p class="quiet">Nothing yet.</p> : null}
      <ol class="news">
        {lines.map(({ id, ts, action, event }) => (
          <li key={id}>
            <Time ts={ts} />
            {action ? <ActionLine action={action} /> : <span>{eventText(event!)}</span>}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function ActionLine({ action }: { action: Action }): JSX.Element {
  const { rack_id, source, kind } = action;
  return (
    <span>
      {rack_id ? <a href={href("racks", rack_id)}>{rack_id}</a> : "Site"} {changeText(action)}{" "}
      <OutcomeBadge outcome={action.outcome} />
      <span class="quiet">
        {" "}
        {SOURCES[source]}, {KINDS[kind]}
      </span>
    </span>
  );
}
