import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { SimulatorStatus } from "../../../../shared/contracts/messages.ts";
import { post } from "../data/api.ts";
import { now_ms } from "../data/live.ts";
import { useQuery } from "../data/query.ts";
import { duration } from "../format/numbers.ts";
import { href } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { Choice } from "../ui/choice.tsx";
import { PageHead } from "../ui/panel.tsx";
import { Empty, Loading, Problem } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";
import { attempt } from "../ui/toast.tsx";

interface Scenarios extends Pick<SimulatorStatus, "scenarios" | "running"> {
  simulator: boolean;
}

const DURATIONS = [
  { value: "180", label: "3 min" },
  { value: "600", label: "10 min" },
  { value: "1800", label: "30 min" },
  { value: "7200", label: "2 h" },
] as const;

/** What the connected simulator can play, so that an operator sees what Skadi makes of it. */
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
  const [seconds, setSeconds] = useState<string>("600");
  if (!simulator)
    return (
      <Empty icon="play" title="No simulator is connected to this site.">
        Scenarios are played by simulated racks: <code>skadi-sim racks</code> against this aggregator, or{" "}
        <code>npm run demo</code>. Real racks are never touched by this page.
      </Empty>
    );
  return (
    <>
      <p>
        Nothing here reaches real hardware: the simulator changes its plant, and everything that follows on
        the <a href={href("")}>site page</a> is Skadi's own doing.
      </p>
      <Choice
        label="Play it for (simulated time)"
        labelled
        value={seconds}
        options={DURATIONS}
        onChange={setSeconds}
      />
      <ul class="cards">
        {scenarios.map((scenario) => (
          <Card
            key={scenario.name}
            scenario={scenario}
            running={running.find(({ name }) => name === scenario.name)}
            duration_s={Number(seconds)}
            reload={reload}
          />
        ))}
      </ul>
    </>
  );
}

function Card({
  scenario,
  running,
  duration_s,
  reload,
}: {
  scenario: Scenarios["scenarios"][number];
  running: Scenarios["running"][number] | undefined;
  duration_s: number;
  reload: () => void;
}): JSX.Element {
  const { name, description } = scenario;
  const title = titleOf(name);
  const play = async (action: "start" | "stop") => {
    const body = { scenario: name, action, ...(action === "start" && { duration_s }) };
    await attempt(
      () => post("/demo/scenario", body),
      `${action === "start" ? "Started" : "Stopped"}: ${title}`,
    );
    reload();
  };
  return (
    <li class="panel">
      <h2>
        {title}{" "}
        {running ? (
          <Badge tone="warn" shape="triangle">
            Running
          </Badge>
        ) : null}
      </h2>
      <p>{description}</p>
      {running ? (
        <p class="quiet">
          Until <Time ts={running.ends_at} />, another{" "}
          {duration(Math.max(0, Date.parse(running.ends_at) - now_ms.value))}.
        </p>
      ) : null}
      <button
        type="button"
        class={running ? "" : "primary"}
        aria-label={`${running ? "Stop" : "Start"} ${title}`}
        onClick={() => play(running ? "stop" : "start")}
      >
        {running ? "Stop" : "Start"}
      </button>
    </li>
  );
}

/** `heat_spike` → `Heat spike` */
function titleOf(name: string): string {
  const words = name
    .replaceAll("_", " ")
    .replace(/\brow ([a-z])\b/, (_, row: string) => `row ${row.toUpperCase()}`);
  return `${words[0]?.toUpperCase() ?? ""}${words.slice(1)}`;
}
