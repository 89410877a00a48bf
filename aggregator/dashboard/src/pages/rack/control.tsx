import type { JSX } from "preact";
import type { Action } from "../../../../../shared/contracts/action.ts";
import type { RackDetail } from "../../../../../shared/contracts/rack-view.ts";
import { setpointText, TARGETS } from "../../format/words.ts";
import { explain } from "../../parts/explain.tsx";
import { Badge, ModeBadge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** Who drives the rack, and where each of its devices is set. */
export function Control({
  detail,
  actions,
}: {
  detail: RackDetail;
  actions: readonly Action[];
}): JSX.Element {
  return (
    <Panel title="Guardrail and actuators" aside={<ModeBadge mode={detail.rack.mode} />}>
      <Guardrail actions={actions} refuses={detail.guarded && detail.rack.mode === "closed_loop"} />
      <table class="plain">
        <caption class="hidden">Actuators</caption>
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col" class="numeric">
              Set to
            </th>
            <th scope="col" class="numeric">
              Is at
            </th>
            <th scope="col" class="numeric">
              Limits
            </th>
          </tr>
        </thead>
        <tbody>
          {detail.actuators.map(({ target, setpoint, measured, min, max, quarantined }) => (
            <tr key={target}>
              <th scope="row">
                {TARGETS[target]}
                {quarantined ? (
                  <Badge tone="bad" shape="square" title={quarantined.reason}>
                    Quarantine
                  </Badge>
                ) : null}
              </th>
              <td class={`numeric ${setpoint === null ? "quiet" : "driven"}`}>
                {setpointText(target, setpoint)}
              </td>
              <td class="numeric">{measured === null ? "–" : setpointText(target, measured)}</td>
              <td class="numeric quiet">
                {setpointText(target, min)} – {setpointText(target, max)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

/** What the guardrail last made of the rack: the newest decision tells whether it holds anything. */
function Guardrail({ actions, refuses }: { actions: readonly Action[]; refuses: boolean }): JSX.Element {
  const last = actions.find(({ source }) => source === "guardrail");
  if (!last) return <p class="quiet">The guardrail has had nothing to do here.</p>;
  const at_rest = last.kind === "release";
  return (
    <p>
      <Badge tone={at_rest ? "ok" : "warn"} shape={at_rest ? "dot" : "triangle"}>
        {at_rest ? "Handed back" : last.outcome === "applied" ? "Guardrail acts" : "Guardrail would act"}
      </Badge>{" "}
      {last.reason} <span class="quiet">(</span>
      <Time ts={last.ts} />
      <span class="quiet">)</span>{" "}
      <button type="button" class="link" onClick={() => explain(last)}>
        Explain
      </button>
      {refuses ? <span class="quiet"> It refuses everyone else's setpoints for now.</span> : null}
    </p>
  );
}
