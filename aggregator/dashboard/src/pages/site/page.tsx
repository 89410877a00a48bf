import type { JSX } from "preact";
import { site, site_name } from "../../data/live.ts";
import { number, percent } from "../../format/numbers.ts";
import { Situation, useSituation } from "../../parts/situation.tsx";
import { href } from "../../router.ts";
import { PageHead } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";
import { FloorPlan } from "./floor.tsx";
import { KeyFigures } from "./key-figures.tsx";
import { News } from "./news.tsx";

const SHOWN_INCIDENTS = 3;

export function SitePage(): JSX.Element {
  const { incidents, actions, error } = useSituation();
  return (
    <>
      <PageHead title={<span class="hidden">Site {site_name.value}</span>} />
      <section class="situations" aria-label="What is wrong">
        {error ? <Problem error={error} /> : null}
        {incidents === null ? <Loading lines={2} label="Loading incidents" /> : null}
        {incidents?.length === 0 ? <AllWell /> : null}
        {incidents?.slice(0, SHOWN_INCIDENTS).map((incident) => (
          <Situation key={incident.id} incident={incident} actions={actions} />
        ))}
        {incidents && incidents.length > SHOWN_INCIDENTS ? (
          <a href={href("incidents")}>{incidents.length - SHOWN_INCIDENTS} more incidents</a>
        ) : null}
      </section>
      <KeyFigures />
      <div class="site-grid">
        <FloorPlan />
        <News actions={actions} />
      </div>
    </>
  );
}

function AllWell(): JSX.Element {
  const { racks, worst_rack } = site.value!;
  const settled = racks.total - racks.persistent;
  return (
    <p class="all-well">
      <strong>No incident.</strong> {number(settled)} of {number(racks.total)} racks show no lasting deviation
      {worst_rack ? (
        <>
          ; the furthest from normal is <a href={href("racks", worst_rack.rack_id)}>{worst_rack.rack_id}</a>{" "}
          at {percent((100 * worst_rack.d) / worst_rack.tau_fast)} of its threshold
        </>
      ) : null}
      .
    </p>
  );
}
