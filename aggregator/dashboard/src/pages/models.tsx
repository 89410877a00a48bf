import type { JSX } from "preact";
import { useQuery } from "../data/query.ts";
import { number } from "../format/numbers.ts";
import { Badge } from "../ui/badge.tsx";
import { PageHead } from "../ui/panel.tsx";
import { Empty, Loading, Problem } from "../ui/states.tsx";
import { Table } from "../ui/table.tsx";

interface Model {
  id: string;
  active: boolean;
  valid: boolean;
  tau_fast: number | null;
  tau_persist: number | null;
  accepted: string[];
}

export function ModelsPage(): JSX.Element {
  const { data, error, reload } = useQuery<{ models: Model[] }>("/ims/models", {
    on: ["model"],
    every_ms: 5_000,
  });
  return (
    <>
      <PageHead title="Models" />
      {error ? <Problem error={error} retry={reload} /> : null}
      {data ? <List models={data.models} /> : error ? null : <Loading />}
    </>
  );
}

function List({ models }: { models: readonly Model[] }): JSX.Element {
  if (models.length === 0) return <Empty icon="model" title="There is no model yet." />;
  return (
    <Table
      caption="Model files"
      rows={models}
      rowKey={({ id }) => id}
      columns={[
        { title: "Model", cell: ({ id }) => id },
        {
          title: "State",
          cell: ({ active, valid }) => (
            <Badge tone={active ? "ok" : valid ? "muted" : "bad"}>
              {active ? "active" : valid ? "ready" : "invalid"}
            </Badge>
          ),
        },
        { title: "Taken by", numeric: true, cell: ({ accepted }) => number(accepted.length) },
        { title: "tau fast", numeric: true, minor: true, cell: ({ tau_fast }) => number(tau_fast, 2) },
        {
          title: "tau persist",
          numeric: true,
          minor: true,
          cell: ({ tau_persist }) => number(tau_persist, 2),
        },
      ]}
    />
  );
}
