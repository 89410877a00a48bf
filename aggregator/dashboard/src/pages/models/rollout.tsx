import type { JSX } from "preact";
import type { RolloutView } from "../../../../../shared/contracts/rollout.ts";
import { post } from "../../data/api.ts";
import { now_ms } from "../../data/live.ts";
import { count, duration } from "../../format/numbers.ts";
import { href } from "../../router.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { Timeline } from "../../ui/timeline.tsx";
import { attempt } from "../../ui/toast.tsx";
import { RolloutBadge } from "./registry.tsx";

/** How far a model has come, what the gates say, and what happened on the way. */
export function RolloutProgress({
  rollout,
  reload,
}: {
  rollout: RolloutView;
  reload: () => void;
}): JSX.Element {
  const { model_id, previous_id, state, racks, waves, gated } = rollout;
  const halt = async () => {
    const sure = await confirm({
      title: "Halt this rollout?",
      text: "The racks that have the new model go back to the one before.",
      action: "Halt",
      tone: "bad",
    });
    if (!sure) return;
    const path = `/rollouts/${encodeURIComponent(rollout.id)}/halt`;
    await attempt(() => post(path, { reason: "by hand, from the dashboard" }), "Halted");
    reload();
  };
  return (
    <Panel
      title={state === "running" ? "Rollout" : "Last rollout"}
      aside={
        state === "running" ? (
          <button type="button" class="bad" onClick={halt}>
            Halt
          </button>
        ) : null
      }
    >
      <p>
        <a href={href("models", model_id)}>{model_id}</a> {previous_id ? `in place of ${previous_id}` : ""}{" "}
        <RolloutBadge state={state} />
      </p>
      <progress
        class="progress"
        max={Math.max(1, racks.total)}
        value={racks.accepted.length}
        aria-label={`${racks.accepted.length} of ${racks.total} racks have it`}
      />
      <p class="quiet">
        {racks.accepted.length} of {count(racks.total, "rack")}
        {racks.refused.length > 0 ? `, ${racks.refused.length} refused` : ""}
        {racks.waiting.length > 0 ? `, ${racks.waiting.length} to come` : ""}
        {racks.offline.length > 0 ? `, ${racks.offline.length} offline: they join when they are back` : ""}
      </p>
      {gated ? (
        <ol class="waves">
          {waves.map((wave, n) => (
            <Wave key={n} wave={wave} name={n === 0 ? "Canary" : `Wave ${n}`} />
          ))}
        </ol>
      ) : null}
      <Gates gates={rollout.gates} />
      {racks.refused.length > 0 ? (
        <ul class="notes">
          {racks.refused.slice(0, 8).map(({ rack_id, errors }) => (
            <li key={rack_id}>
              <a href={href("racks", rack_id)}>{rack_id}</a>:{" "}
              {errors.map(({ message }) => message).join("; ")}
            </li>
          ))}
        </ul>
      ) : null}
      <details open={state === "running"}>
        <summary>What happened</summary>
        <Timeline label="What happened, newest first">
          {rollout.story.toReversed().map(({ ts, text }, index) => (
            <li key={rollout.story.length - index}>
              <Time ts={ts} />
              <span>{text}</span>
            </li>
          ))}
        </Timeline>
      </details>
    </Panel>
  );
}

const WAVES: Record<RolloutView["waves"][number]["state"], { tone: Tone; label: string }> = {
  waiting: { tone: "muted", label: "Waiting" },
  offered: { tone: "info", label: "Offered" },
  soaking: { tone: "warn", label: "Under observation" },
  passed: { tone: "ok", label: "Passed" },
  failed: { tone: "bad", label: "Failed" },
};

function Wave({ wave, name }: { wave: RolloutView["waves"][number]; name: string }): JSX.Element {
  const { tone, label } = WAVES[wave.state];
  const left_ms = wave.soaks_until === null ? 0 : Date.parse(wave.soaks_until) - now_ms.value;
  return (
    <li class={`wave ${tone}`}>
      <strong>{name}</strong>
      <span class="quiet">{count(wave.racks.length, "rack")}</span>
      <Badge tone={tone}>{label}</Badge>
      {wave.state === "soaking" && left_ms > 0 ? (
        <span class="quiet">another {duration(left_ms)}</span>
      ) : null}
    </li>
  );
}

const GATES: Record<RolloutView["gates"][number]["name"], string> = {
  alarm_rate: "Alarms",
  d_shift: "Shift of D",
  agent_errors: "Agents' errors",
};

function Gates({ gates }: Pick<RolloutView, "gates">): JSX.Element | null {
  if (gates.length === 0) return null;
  return (
    <ul class="gates">
      {gates.map(({ name, ok, detail }) => (
        <li key={name}>
          <Badge
            tone={ok === null ? "muted" : ok ? "ok" : "bad"}
            shape={ok === null ? "ring" : ok ? "dot" : "square"}
          >
            {GATES[name]}
          </Badge>
          <span>{detail}</span>
        </li>
      ))}
    </ul>
  );
}
