import type { JSX } from "preact";
import type { Action } from "../../../../../shared/contracts/action.ts";
import { events, type LiveEvent } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";
import { count } from "../../format/numbers.ts";
import { eventText, KINDS, SOURCES, setpointText, TARGETS } from "../../format/words.ts";
import { explain } from "../../parts/explain.tsx";
import { href } from "../../router.ts";
import { OutcomeBadge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

const SHOWN = 40;
/** The same done to many racks within this time is one line. */
const TOGETHER_MS = 60_000;
/** Told by an incident or by an action already, or for specialists alone. */
const LEFT_OUT = new Set(["action", "rejection", "overview", "gap", "mms"]);

type Line = { id: string; ts: string } & ({ event: LiveEvent } | { actions: Action[] });

/** Actions and events as one story, newest first. */
export function News({ actions }: { actions: readonly Action[] }): JSX.Element {
  const history = useQuery<{ events: LiveEvent[] }>("/timeline?limit=200");
  const live = events.value;
  const known = new Set(live.map(({ id }) => id));
  const past = history.data?.events.filter(({ id }) => !known.has(id)) ?? [];
  const told = [...live, ...past].filter(({ type }) => !LEFT_OUT.has(type)).slice(0, SHOWN);
  const lines: Line[] = [
    ...told.map((event) => ({ id: event.id, ts: event.ts, event })),
    ...gathered(actions),
  ]
    .sort((a, b) => Date.parse(b.ts) - Date.parse(a.ts))
    .slice(0, SHOWN);
  return (
    <Panel title="What happened" class="news-panel">
      {lines.length === 0 ? <p class="quiet">Nothing yet.</p> : null}
      <ol class="news">
        {lines.map((line) => (
          <li key={line.id}>
            <Time ts={line.ts} />
            {"actions" in line ? <ActionLine actions={line.actions} /> : <span>{eventText(line.event)}</span>}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

/** @param actions newest first */
function gathered(actions: readonly Action[]): Line[] {
  const lines: (Line & { actions: Action[] })[] = [];
  const open = new Map<string, (typeof lines)[number]>();
  for (const action of actions) {
    const { source, kind, target, to, outcome, ts, id } = action;
    const key = [source, kind, target, to === null, outcome].join();
    const line = open.get(key);
    if (line && Date.parse(line.ts) - Date.parse(ts) <= TOGETHER_MS) {
      line.actions.push(action);
      continue;
    }
    const started = { id, ts, actions: [action] };
    open.set(key, started);
    lines.push(started);
  }
  return lines;
}

/** `75 %`, or of several racks `70 % – 85 %`. */
function rangeText(actions: readonly Action[]): string {
  const { target } = actions[0]!;
  const values = actions.flatMap(({ to }) => (to === null ? [] : [to]));
  if (values.length === 0) return setpointText(target, null);
  const ends = [
    ...new Set([Math.min(...values), Math.max(...values)].map((value) => setpointText(target, value))),
  ];
  return ends.join(" – ");
}

function ActionLine({ actions }: { actions: readonly Action[] }): JSX.Element {
  const action = actions[0]!;
  const { rack_id, source, kind, target, outcome } = action;
  const racks = new Set(actions.map((each) => each.rack_id)).size;
  return (
    <span>
      {TARGETS[target]} → {rangeText(actions)} on{" "}
      {racks > 1 ? (
        count(racks, "rack")
      ) : rack_id ? (
        <a href={href("racks", rack_id)}>{rack_id}</a>
      ) : (
        "the site"
      )}{" "}
      <OutcomeBadge outcome={outcome} />
      <span class="news-who">
        {SOURCES[source]}, {KINDS[kind]}.{" "}
        <button
          type="button"
          class="link"
          aria-label={`Explain ${TARGETS[target]} on ${rack_id}`}
          onClick={() => explain(action)}
        >
          Explain
        </button>
      </span>
    </span>
  );
}
