import type { JSX } from "preact";
import type { Action } from "../../../../shared/contracts/action.ts";
import { useQuery } from "../data/query.ts";
import { number } from "../format/numbers.ts";
import { changeText } from "../format/words.ts";
import { OutcomeBadge } from "../ui/badge.tsx";
import { PageHead } from "../ui/panel.tsx";
import { Empty, Loading, Problem } from "../ui/states.tsx";
import { Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";

export function OptimizerPage(): JSX.Element {
  const { data, error, reload } = useQuery<{ actions: Action[] }>("/actions/log?limit=200", {
    on: ["action"],
  });
  const actions = data?.actions.filter(({ source }) => source === "optimizer");
  return (
    <>
      <PageHead title="Optimizer" />
      {error ? <Problem error={error} retry={reload} /> : null}
      {actions ? <List actions={actions} /> : error ? null : <Loading />}
    </>
  );
}

function List({ actions }: { actions: readonly Action[] }): JSX.Element {
  if (actions.length === 0) return <Empty icon="leaf" title="The optimizer has proposed nothing yet." />;
  return (
    <Table
      caption="What the optimizer did or advised, newest first"
      rows={actions}
      rowKey={({ id }) => id}
      columns={[
        { title: "When", cell: ({ ts }) => <Time ts={ts} /> },
        { title: "Where", cell: ({ rack_id }) => rack_id ?? "site" },
        { title: "What", cell: changeText },
        { title: "Outcome", cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
        {
          title: "Predicted kW",
          numeric: true,
          minor: true,
          cell: (action) => number(action.predicted_saving_kw, 2),
        },
        {
          title: "Realized kW",
          numeric: true,
          minor: true,
          cell: (action) => number(action.realized_saving_kw, 2),
        },
      ]}
    />
  );
}
