import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Action } from "../../../../../shared/contracts/action.ts";
import { number } from "../../format/numbers.ts";
import { changeText, KINDS, SOURCES } from "../../format/words.ts";
import { explain } from "../../parts/explain.tsx";
import { href } from "../../router.ts";
import { OutcomeBadge } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

type Source = Action["source"] | "all";
const source = signal<Source>("all");
const SOURCE_OPTIONS = [
  { value: "all", label: "All" },
  { value: "optimizer", label: "Optimizer" },
  { value: "guardrail", label: "Guardrail" },
  { value: "operator", label: "Operator" },
] as const;
const SHOWN_AT_FIRST = 15;
const SHOWN_MOST = 200;

/** Everything that was decided, newest first, with what it promised and what came of it. */
export function ActionLog({ actions }: { actions: readonly Action[] }): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = actions.filter((action) => source.value === "all" || action.source === source.value);
  const rows = shown.slice(0, all ? SHOWN_MOST : SHOWN_AT_FIRST);
  return (
    <Panel
      title="What was decided"
      aside={
        <Choice
          label="Decided by"
          value={source.value}
          options={SOURCE_OPTIONS}
          onChange={(value) => {
            source.value = value;
          }}
        />
      }
    >
      {shown.length === 0 ? (
        <p class="quiet">Nothing yet.</p>
      ) : (
        <Table
          caption="Actions, newest first"
          rows={rows}
          rowKey={({ id }) => id}
          columns={[
            { title: "When", cell: ({ ts }) => <Time ts={ts} /> },
            {
              title: "Where and what",
              cell: (action) => (
                <>
                  {action.rack_id ? <a href={href("racks", action.rack_id)}>{action.rack_id}</a> : "Site"}{" "}
                  {changeText(action)}
                  <span class="row-note">
                    {SOURCES[action.source]}: {KINDS[action.kind]}{" "}
                    <button
                      type="button"
                      class="link"
                      aria-label={`Explain ${changeText(action)}`}
                      onClick={() => explain(action)}
                    >
                      Explain
                    </button>
                  </span>
                </>
              ),
            },
            { title: "Outcome", cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
            { title: "Promised → kept, kW", numeric: true, minor: true, cell: promiseText },
          ]}
        />
      )}
      {shown.length > SHOWN_AT_FIRST ? (
        <p class="quiet">
          The newest {number(rows.length)} of {number(shown.length)}.{" "}
          <button type="button" class="link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer" : "Show more"}
          </button>
        </p>
      ) : null}
    </Panel>
  );
}

function promiseText({ predicted_saving_kw, realized_saving_kw }: Action): string {
  if (predicted_saving_kw === undefined) return "";
  return `${number(predicted_saving_kw, 2)} → ${number(realized_saving_kw, 2)}`;
}
