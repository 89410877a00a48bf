import type { JSX } from "preact";
import type { OptimizerAnswer } from "../../../../../shared/contracts/optimizer.ts";
import { useQuery } from "../../data/query.ts";
import { Badge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";

/** What decided in the last round, and why not more was done. */
export function Round(): JSX.Element {
  const { data, error, reload } = useQuery<OptimizerAnswer>("/optimizer", {
    on: ["action", "mode"],
    every_ms: 30_000,
  });
  return (
    <Panel title="Last round" aside={data?.last ? <Decider {...data.last} /> : null}>
      {error ? <Problem error={error} retry={reload} /> : null}
      {data ? <Last {...data} /> : error ? null : <Loading />}
    </Panel>
  );
}

function Decider({ skipped, policy, fallback }: NonNullable<OptimizerAnswer["last"]>): JSX.Element {
  if (skipped) return <Badge tone="muted">Idle</Badge>;
  if (fallback)
    return (
      <Badge tone="warn" shape="triangle">
        Fallback
      </Badge>
    );
  return <Badge tone="ok">{policy === "predictive" ? "Planned" : "One by one"}</Badge>;
}

function Last({ last, interval_s }: OptimizerAnswer): JSX.Element {
  if (!last) return <p class="quiet">The first one is due within {interval_s} s of the start.</p>;
  return (
    <>
      {last.summary.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <p class="quiet">
        <Time ts={last.ts} />, every {interval_s} s
      </p>
    </>
  );
}
