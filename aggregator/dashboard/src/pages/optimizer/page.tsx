import type { JSX } from "preact";
import type { Action } from "../../../../../shared/contracts/action.ts";
import { useQuery } from "../../data/query.ts";
import { PageHead } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";
import { ActionLog } from "./action-log.tsx";
import { Modes } from "./modes.tsx";
import { Proposals } from "./proposals.tsx";
import { Quarantine } from "./quarantine.tsx";
import { Round } from "./round.tsx";
import { Savings } from "./savings.tsx";

/** What is saved, what is proposed, and who may drive what. */
export function OptimizerPage(): JSX.Element {
  const { data, error, reload } = useQuery<{ actions: Action[] }>("/actions/log?limit=1000", {
    on: ["action"],
    every_ms: 30_000,
  });
  return (
    <>
      <PageHead title="Optimizer" />
      {error ? <Problem error={error} retry={reload} /> : null}
      <div class="rack-grid">
        <div class="rack-main">
          {data ? (
            <>
              <Proposals actions={data.actions} reload={reload} />
              <ActionLog actions={data.actions} />
            </>
          ) : error ? null : (
            <Loading lines={8} />
          )}
        </div>
        <div class="rack-side">
          <Modes />
          <Round />
          <Savings actions={data?.actions ?? []} />
          <Quarantine />
        </div>
      </div>
    </>
  );
}
