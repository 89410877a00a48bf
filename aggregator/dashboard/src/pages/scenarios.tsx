import type { JSX } from "preact";
import { post } from "../data/api.ts";
import { useQuery } from "../data/query.ts";
import { PageHead } from "../ui/panel.tsx";
import { Empty, Loading, Problem } from "../ui/states.tsx";
import { attempt } from "../ui/toast.tsx";

interface Scenarios {
  simulator: boolean;
  scenarios: { name: string; description: string }[];
  running: { name: string }[];
}

const DURATION_S = 180;

export function ScenariosPage(): JSX.Element {
  const { data, error, reload } = useQuery<Scenarios>("/demo/scenarios", {
    on: ["scenario"],
    every_ms: 2_000,
  });
  return (
    <>
      <PageHead title="Scenarios" />
      {error ? <Problem error={error} retry={reload} /> : null}
      {data ? <List {...data} reload={reload} /> : error ? null : <Loading />}
    </>
  );
}

function List({ simulator, scenarios, running, reload }: Scenarios & { reload: () => void }): JSX.Element {
  if (!simulator) return <Empty icon="play" title="No simulator is connected to this site." />;
  const play = async (scenario: string, action: "start" | "stop") => {
    const body = { scenario, action, duration_s: DURATION_S };
    await attempt(
      () => post("/demo/scenario", body),
      `${action === "start" ? "Started" : "Stopped"} ${scenario}`,
    );
    reload();
  };
  return (
    <ul class="cards">
      {scenarios.map(({ name, description }) => {
        const runs = running.some((scenario) => scenario.name === name);
        return (
          <li key={name} class="panel">
            <h2>{name}</h2>
            <p>{description}</p>
            <button
              type="button"
              class={runs ? "" : "primary"}
              onClick={() => play(name, runs ? "stop" : "start")}
            >
              {runs ? `Stop ${name}` : `Start ${name}`}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
