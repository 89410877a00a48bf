import { signal } from "@preact/signals";
import type { JSX } from "preact";
import type { RackDetail, RackHistory } from "../../../../../shared/contracts/rack-view.ts";
import { rack_ids, rackSignal } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";
import { number } from "../../format/numbers.ts";
import { ago } from "../../format/time.ts";
import { Situation, useSituation } from "../../parts/situation.tsx";
import { href } from "../../router.ts";
import { Badge, ConditionBadge } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { Icon } from "../../ui/icons.tsx";
import { PageHead, Panel } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";
import { NotFound } from "../not-found.tsx";
import { Charts } from "./charts.tsx";
import { Control } from "./control.tsx";
import { ActionHistory, IncidentHistory } from "./history.tsx";
import { Reasons } from "./reasons.tsx";
import { Sensors } from "./sensors.tsx";
import { useSeries } from "./series.ts";

const MINUTE_MS = 60_000;
const SPANS = { "15 min": 15, "1 h": 60, "6 h": 360, "24 h": 1_440, "7 d": 10_080 } as const;
type Span = keyof typeof SPANS;
const span = signal<Span>("1 h");
const span_options = (Object.keys(SPANS) as Span[]).map((value) => ({ value, label: value }));

export function RackPage({ parts }: { parts: readonly string[] }): JSX.Element {
  const rack_id = parts[0] ?? "";
  return rackSignal(rack_id) ? <Rack key={rack_id} rack_id={rack_id} /> : <NotFound what="rack" />;
}

function Rack({ rack_id }: { rack_id: string }): JSX.Element {
  const rack = rackSignal(rack_id)!.value;
  const detail = useQuery<RackDetail>(`/racks/${rack_id}`, {
    on: ["action", "quarantine", "mode"],
    every_ms: 5_000,
  });
  const history = useQuery<RackHistory>(`/racks/${rack_id}/history`, { on: ["action", "incident"] });
  const { series, error } = useSeries(rack_id, SPANS[span.value] * MINUTE_MS);
  const situation = useSituation();
  const concerned = situation.incidents?.filter(({ racks }) =>
    racks.some((member) => member.rack_id === rack_id && member.recovered_at === null),
  );
  const actions = history.data?.actions ?? [];
  const problem = detail.error ?? history.error ?? error;
  return (
    <>
      <Head rack_id={rack_id} />
      {problem ? <Problem error={problem} retry={detail.reload} /> : null}
      {concerned?.map((incident) => (
        <Situation key={incident.id} incident={incident} actions={situation.actions} />
      ))}
      {concerned?.length === 0 ? (
        <p class={`all-well ${rack.online ? rack.state : "unknown"}`}>
          <Sentence rack_id={rack_id} />
        </p>
      ) : null}
      <div class="rack-grid">
        <div class="rack-main">
          <Panel
            title="Course"
            aside={
              <Choice
                label="Time shown"
                value={span.value}
                options={span_options}
                onChange={(value) => {
                  span.value = value;
                }}
              />
            }
          >
            <p class="chart-legend">
              <span>
                <span class="legend-band" />
                where the model has seen nominal operation
              </span>
              <span>▲ something was done or advised</span>
            </p>
            {series && detail.data ? (
              <Charts
                series={series}
                detail={{ ...detail.data, rack }}
                marks={actions.map(({ ts }) => Date.parse(ts))}
              />
            ) : (
              <Loading lines={8} label="Loading the course" />
            )}
          </Panel>
          {history.data ? <ActionHistory actions={actions} /> : null}
        </div>
        <div class="rack-side">
          <Reasons rack={withShares(rack, detail.data)} detail={detail.data} />
          {detail.data ? <Control detail={detail.data} actions={actions} /> : null}
          {detail.data ? <Sensors detail={detail.data} /> : null}
          {history.data ? <IncidentHistory incidents={history.data.incidents} /> : null}
        </div>
      </div>
    </>
  );
}

/** The live feed may leave the shares out. */
function withShares(rack: RackDetail["rack"], detail: RackDetail | null): RackDetail["rack"] {
  return rack.contributions.length > 0 || !detail
    ? rack
    : { ...rack, contributions: detail.rack.contributions };
}

function Head({ rack_id }: { rack_id: string }): JSX.Element {
  const rack = rackSignal(rack_id)!.value;
  const ids = rack_ids.value;
  const at = ids.indexOf(rack_id);
  const beside = [
    { other: ids[at - 1], label: "Previous rack", icon: "back" as const },
    { other: ids[at + 1], label: "Next rack", icon: "chevron" as const },
  ];
  return (
    <PageHead title={`Rack ${rack_id}`}>
      <ConditionBadge state={rack.state} />
      {rack.agent_online ? null : (
        <Badge tone="warn" shape="triangle">
          Agent not connected
        </Badge>
      )}
      {rack.online ? null : (
        <Badge tone="bad" shape="square">
          No recent data
        </Badge>
      )}
      <span class="beside">
        <a href={href("")}>All racks</a>
        {beside.map(({ other, label, icon }) =>
          other ? (
            <a
              key={label}
              href={href("racks", other)}
              aria-label={`${label}, ${other}`}
              title={`${label}, ${other}`}
            >
              <Icon name={icon} size={18} />
            </a>
          ) : null,
        )}
      </span>
    </PageHead>
  );
}

/** How the rack is, when no incident says so. */
function Sentence({ rack_id }: { rack_id: string }): JSX.Element {
  const { state, d, tau_fast, mms_ema, online, ts } = rackSignal(rack_id)!.value;
  if (!online && ts !== null)
    return <>Nothing recent is known: the last data came {ago(ts)}, and what is shown here is from then.</>;
  if (d === null || tau_fast === null) return <>No score yet: there is no telemetry, or no model.</>;
  const figures = `D is ${number(d, 2)} of ${number(tau_fast, 2)}`;
  if (state === "persistent") return <>Deviates lastingly: {figures}. The incident is being opened.</>;
  if (state === "transient")
    return (
      <>
        Deviates now: {figures}. It is an incident if it lasts (average {number(mms_ema, 2)}).
      </>
    );
  return <>As in training: {figures}. No incident.</>;
}
