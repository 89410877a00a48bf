import type { JSX } from "preact";
import type { RackDetail } from "../../../../../shared/contracts/rack-view.ts";
import { duration } from "../../format/numbers.ts";
import { FEATURE_LABELS } from "../../format/words.ts";
import { Badge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

const QUALITY = {
  good: { tone: "ok", shape: "dot", label: "good" },
  stale: { tone: "warn", shape: "triangle", label: "stale" },
  suspect: { tone: "warn", shape: "triangle", label: "not believed" },
  missing: { tone: "bad", shape: "square", label: "missing" },
} as const;

/** Whether the rack's readings can be trusted, and the agent that takes them. */
export function Sensors({ detail }: { detail: RackDetail }): JSX.Element {
  const { quality, sensors, agent, interval_s, rack, model } = detail;
  const entries = Object.entries(quality);
  const good = entries.filter(([, value]) => value === "good").length;
  return (
    <Panel
      title="Sensors and agent"
      aside={
        entries.length > 0 ? (
          <span class="quiet">
            {good} of {entries.length} good
          </span>
        ) : null
      }
    >
      {sensors.length > 0 ? (
        <ul class="alarms">
          {sensors.map(({ field, problem }) => (
            <li key={field + problem}>
              <Badge tone="bad" shape="square">
                {FEATURE_LABELS[field] ?? field}: {problem}
              </Badge>{" "}
              wants a technician
            </li>
          ))}
        </ul>
      ) : null}
      <ul class="sensors">
        {entries.map(([field, value]) => (
          <li key={field}>
            <span>{FEATURE_LABELS[field] ?? field}</span>
            <Badge tone={QUALITY[value].tone} shape={QUALITY[value].shape}>
              {QUALITY[value].label}
            </Badge>
          </li>
        ))}
      </ul>
      <dl class="facts">
        <div>
          <dt>Last sample</dt>
          <dd>{rack.ts ? <Time ts={rack.ts} /> : "none"}</dd>
        </div>
        <div>
          <dt>Interval</dt>
          <dd>{interval_s === null ? "–" : duration(1000 * interval_s)}</dd>
        </div>
        <div>
          <dt>Agent</dt>
          <dd>{agent ? `${agent.version}, ${agent.driver}` : "not connected"}</dd>
        </div>
        <div>
          <dt>Model</dt>
          <dd class="breaks">{rack.agent_model_id ?? model?.id ?? "none"}</dd>
        </div>
        <div>
          <dt>Scored by</dt>
          <dd>{rack.scored_by ?? "–"}</dd>
        </div>
      </dl>
    </Panel>
  );
}
