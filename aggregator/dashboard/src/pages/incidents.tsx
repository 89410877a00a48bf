import type { JSX } from "preact";
import type { Incident } from "../../../../shared/contracts/incident.ts";
import { useQuery } from "../data/query.ts";
import { causeText } from "../format/words.ts";
import { Badge, SeverityBadge } from "../ui/badge.tsx";
import { PageHead } from "../ui/panel.tsx";
import { Empty, Loading, Problem } from "../ui/states.tsx";
import { Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";

export function IncidentsPage(): JSX.Element {
  const { data, error, reload } = useQuery<{ incidents: Incident[] }>("/incidents", { on: ["incident"] });
  return (
    <>
      <PageHead title="Incidents" />
      {error ? <Problem error={error} retry={reload} /> : null}
      {data ? <List incidents={data.incidents} /> : error ? null : <Loading />}
    </>
  );
}

function List({ incidents }: { incidents: readonly Incident[] }): JSX.Element {
  if (incidents.length === 0) return <Empty title="No incident has been seen." />;
  return (
    <Table
      caption="Incidents, newest first"
      rows={incidents}
      rowKey={({ id }) => id}
      columns={[
        { title: "Severity", cell: ({ severity }) => <SeverityBadge severity={severity} /> },
        { title: "What", cell: ({ title }) => title },
        {
          title: "Why",
          minor: true,
          cell: ({ verdict }) => (verdict ? causeText(verdict) : "not clear yet"),
        },
        {
          title: "Status",
          cell: ({ status }) => <Badge tone={status === "open" ? "warn" : "muted"}>{status}</Badge>,
        },
        { title: "Opened", cell: ({ opened_at }) => <Time ts={opened_at} form="date" /> },
      ]}
    />
  );
}
