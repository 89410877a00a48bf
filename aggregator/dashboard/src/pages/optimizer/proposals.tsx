import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Action } from "../../../../../shared/contracts/action.ts";
import { post } from "../../data/api.ts";
import { now_ms } from "../../data/live.ts";
import { count, number } from "../../format/numbers.ts";
import { changeText, KINDS, SOURCES } from "../../format/words.ts";
import { explain } from "../../parts/explain.tsx";
import { href } from "../../router.ts";
import { Badge } from "../../ui/badge.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Empty } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { attempt } from "../../ui/toast.tsx";

/** As long as the aggregator lets advice be approved: it rests on the state of its time. */
const VALID_MS = 600_000;
/** Dated further ahead, it cannot be told how old it is, and it is not accepted either. */
const AHEAD_MS = 60_000;
const SHOWN_AT_FIRST = 10;

/** The one rack whose advice is shown, or "" for all. */
const place = signal("");

/** Put aside in this browser; the advice itself just grows old. */
const rejected = signal<ReadonlySet<string>>(new Set());

const placeOf = ({ rack_id, target }: Action) => `${rack_id}/${target}`;

/**
 * The newest advice per device, guardrail first: that is about heat. Then by rack, so that a row stays where it is
 * when the next round of advice comes.
 */
function pending(actions: readonly Action[], now: number): Action[] {
  const devices = new Set<string>();
  const dated = actions.filter(({ ts }) => Date.parse(ts) - now < AHEAD_MS);
  const newest = dated.filter((action) => {
    const device = placeOf(action);
    return !devices.has(device) && devices.add(device);
  });
  return newest
    .filter(
      ({ outcome, rack_id, ts }) =>
        outcome === "advised" && rack_id !== null && now - Date.parse(ts) < VALID_MS,
    )
    .sort(
      (a, b) =>
        Number(b.source === "guardrail") - Number(a.source === "guardrail") ||
        placeOf(a).localeCompare(placeOf(b)),
    );
}

export function Proposals({
  actions,
  reload,
}: {
  actions: readonly Action[];
  reload: () => void;
}): JSX.Element {
  const [all, setAll] = useState(false);
  const waiting = pending(actions, now_ms.value).filter(({ id }) => !rejected.value.has(id));
  const open = waiting.filter(({ rack_id }) => place.value === "" || rack_id === place.value);
  const more = open.length - SHOWN_AT_FIRST;
  return (
    <Panel
      title="Waiting for you"
      aside={
        <span class="answers">
          <PlaceFilter waiting={waiting} />
          {more > 0 ? (
            <button type="button" class="link" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? "Show fewer" : `Show ${more} more`}
            </button>
          ) : null}
        </span>
      }
    >
      {open.length === 0 ? (
        <Empty icon="leaf" title="No advice is waiting.">
          In closed loop Skadi drives what it decides, and asks nobody. In advisory every change waits here
          until you approve it.
        </Empty>
      ) : (
        <ul class="proposals">
          {(all ? open : open.slice(0, SHOWN_AT_FIRST)).map((action) => (
            <li key={action.id}>
              <a href={href("racks", action.rack_id ?? "")}>{action.rack_id}</a>
              <span>
                <What action={action} />
              </span>
              <Answers action={action} reload={reload} />
            </li>
          ))}
        </ul>
      )}
      {rejected.value.size > 0 ? (
        <p class="quiet">
          {count(rejected.value.size, "proposal")} put aside.{" "}
          <button
            type="button"
            class="link"
            onClick={() => {
              rejected.value = new Set();
            }}
          >
            Show again
          </button>
        </p>
      ) : null}
    </Panel>
  );
}

function PlaceFilter({ waiting }: { waiting: readonly Action[] }): JSX.Element | null {
  const racks = new Set(waiting.map(({ rack_id }) => rack_id ?? ""));
  if (place.value !== "") racks.add(place.value);
  if (racks.size < 2) return null;
  return (
    <select
      aria-label="Advice for"
      value={place.value}
      onChange={(event) => {
        place.value = event.currentTarget.value;
      }}
    >
      <option value="">All racks</option>
      {[...racks].sort().map((rack_id) => (
        <option key={rack_id} value={rack_id}>
          {rack_id}
        </option>
      ))}
    </select>
  );
}

function What({ action }: { action: Action }): JSX.Element {
  const { source, kind, reason, predicted_saving_kw, ts } = action;
  return (
    <>
      <strong>{changeText(action)}</strong>{" "}
      <Badge tone={source === "guardrail" ? "warn" : "info"}>
        {SOURCES[source]}: {KINDS[kind]}
      </Badge>
      <span class="row-note">
        {reason}
        {predicted_saving_kw === undefined ? "" : `; saves about ${number(predicted_saving_kw, 2)}\u202fkW`} (
        <Time ts={ts} />)
      </span>
    </>
  );
}

function Answers({ action, reload }: { action: Action; reload: () => void }): JSX.Element {
  const name = `${changeText(action)} on ${action.rack_id}`;
  const approve = async () => {
    const sure = await confirm({
      title: "Approve this change?",
      text: (
        <>
          <p>
            <strong>{name}</strong>
          </p>
          <p>
            It is driven once, within the device's limits. If it saves energy at the cost of cooling, it is
            handed back as soon as the rack needs protection.
          </p>
        </>
      ),
      action: "Approve",
    });
    if (!sure) return;
    await attempt(() => post("/actions/apply", { action_id: action.id }), `Sent: ${name}`);
    reload();
  };
  return (
    <span class="answers">
      <button type="button" class="primary" aria-label={`Approve ${name}`} onClick={approve}>
        Approve
      </button>
      <button
        type="button"
        aria-label={`Reject ${name}`}
        onClick={() => {
          rejected.value = new Set([...rejected.value, action.id]);
        }}
      >
        Reject
      </button>
      <button type="button" class="link" aria-label={`Explain ${name}`} onClick={() => explain(action)}>
        Explain
      </button>
    </span>
  );
}
