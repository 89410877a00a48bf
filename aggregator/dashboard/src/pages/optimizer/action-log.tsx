import { signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Action } from "../../../../../shared/contracts/action.ts";
import { number } from "../../format/numbers.ts";
import { changeText, KINDS } from "../../format/words.ts";
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
const SHOWN = 60;

/** Everything that was decided, newest first, with what it promised and what came of it. */
export function ActionLog({ actions }: { actions: readonly Action[] }): JSX.Element {
  const shown = actions.filter((action) => source.value === "all" || action.source === source.value);
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
          rows={shown.slice(0, SHOWN)}
          rowKey={({ id }) => id}
          columns={[
            { title: "When", cell: ({ ts }) => <Time ts={ts} /> },
            {
              title: "Where",
              cell: ({ rack_id }) => (rack_id ? <a href={href("racks", rack_id)}>{rack_id}</a> : "Site"),
            },
            { title: "What", cell: changeText },
            { title: "Kind", minor: true, cell: ({ kind }) => KINDS[kind] },
            { title: "Outcome", cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
            {
              title: "Predicted, kW",
              numeric: true,
              minor: true,
              cell: (action) => number(action.predicted_saving_kw, 2),
            },
            {
              title: "Realized, kW",
              numeric: true,
              minor: true,
              cell: (action) => number(action.realized_saving_kw, 2),
            },
            {
              title: "",
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
      )}
      {shown.length > SHOWN ? (
        <p class="quiet">
          The newest {SHOWN} of {number(shown.length)}; <code>skadi-aggregator actions list</code> has more.
        </p>
      ) : null}
    </Panel>
  );
}
