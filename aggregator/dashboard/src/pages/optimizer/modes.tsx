import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../../data/api.ts";
import { site } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";
import { isRack, PlaceSelect, placeText } from "../../parts/places.tsx";
import { Badge, ModeBadge } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Problem } from "../../ui/states.tsx";
import { attempt } from "../../ui/toast.tsx";

type Mode = "advisory" | "closed_loop";
interface ModeAnswer {
  mode: Mode;
  kill_switch: boolean;
  overrides?: { rows: Record<string, Mode>; racks: Record<string, Mode> };
}

const MODE_OPTIONS = [
  { value: "advisory", label: "Advisory" },
  { value: "closed_loop", label: "Closed loop" },
] as const;
const name = (mode: Mode) => (mode === "advisory" ? "Advisory" : "Closed loop");

/** Who may drive what; every change is asked about once more. */
export function Modes(): JSX.Element {
  const { data, error, reload } = useQuery<ModeAnswer>("/mode", { on: ["mode"], every_ms: 30_000 });
  // The kill switch waits for no answer: the page knows the site's state anyway.
  const { mode, kill_switch, overrides } = (error ? null : data) ?? site.value!;
  const change = async (body: object, done: string) => {
    await attempt(() => post("/mode", body), done);
    reload();
  };
  return (
    <Panel title="Who drives" aside={<ModeBadge mode={mode} kill_switch={kill_switch} />}>
      {error ? <Problem error={error} retry={reload} /> : null}
      <KillSwitch on={kill_switch} change={change} />
      <SiteMode mode={mode} change={change} />
      <Overrides overrides={overrides ?? { rows: {}, racks: {} }} change={change} />
    </Panel>
  );
}

type Change = (body: object, done: string) => Promise<void>;

function KillSwitch({ on, change }: { on: boolean; change: Change }): JSX.Element {
  const flip = async () => {
    const sure = await confirm(
      on
        ? {
            title: "Lift the kill switch?",
            text: "Racks in closed loop are driven again, by their guardrail and by the optimizer.",
            action: "Lift it",
          }
        : {
            title: "Pull the kill switch?",
            text: "From now on nothing on the whole site is driven: no action, no hand-back. Devices stay where they are; sensing and advice go on.",
            action: "Stop everything",
            tone: "bad",
          },
    );
    if (sure)
      await change({ kill_switch: !on }, on ? "The kill switch is lifted" : "Nothing is driven any more");
  };
  return (
    <button type="button" class={`wide-button ${on ? "" : "bad"}`} onClick={flip}>
      <Icon name="power" size={18} /> {on ? "Lift the kill switch" : "Kill switch: stop everything"}
    </button>
  );
}

function SiteMode({ mode, change }: { mode: Mode; change: Change }): JSX.Element {
  const set = async (wanted: Mode) => {
    const sure =
      wanted === "advisory" ||
      (await confirm({
        title: "Let Skadi drive the site?",
        text: (
          <p>
            Guardrails drive fans, pumps, work and power within each device's limits, and the optimizer
            changes setpoints to save energy. Rows and racks with a mode of their own keep it.
          </p>
        ),
        action: "Closed loop",
        type: site.value?.site ?? "site",
      }));
    if (sure) await change({ mode: wanted }, `The site is in ${name(wanted).toLowerCase()}`);
  };
  return (
    <Choice
      label="The site"
      labelled
      value={mode}
      options={MODE_OPTIONS}
      onChange={(wanted) => void set(wanted)}
    />
  );
}

function Overrides({
  overrides,
  change,
}: {
  overrides: NonNullable<ModeAnswer["overrides"]>;
  change: Change;
}): JSX.Element {
  const [where, setWhere] = useState("");
  const scopeOf = (place: string) => (isRack(place) ? { rack_id: place } : { row: place });
  const set = async (place: string, mode: Mode | null) => {
    const label = placeText(place);
    const sure =
      mode !== "closed_loop" ||
      (await confirm({
        title: `Let Skadi drive ${label}?`,
        text: "Its guardrails and the optimizer drive it within each device's limits; the rest of the site stays as it is.",
        action: "Closed loop",
      }));
    if (sure)
      await change(
        { mode, scope: scopeOf(place) },
        mode ? `${label}: ${name(mode)}` : `${label} follows the site`,
      );
  };
  const own = [...Object.entries(overrides.rows), ...Object.entries(overrides.racks)];
  return (
    <>
      <h3>Rows and racks of their own mode</h3>
      {own.length === 0 ? <p class="quiet">All follow the site.</p> : null}
      <ul class="plain-list">
        {own.map(([place, mode]) => (
          <li key={place}>
            <span>{isRack(place) ? place : `Row ${place}`}</span>
            <Badge tone={mode === "closed_loop" ? "ok" : "info"}>{name(mode)}</Badge>
            <button type="button" class="link" onClick={() => set(place, null)}>
              Follow the site
            </button>
          </li>
        ))}
      </ul>
      <div class="form-row">
        <PlaceSelect label="Row or rack" none="Choose…" value={where} onChange={setWhere} />
        <span class="answers">
          {MODE_OPTIONS.map(({ value, label }) => (
            <button key={value} type="button" disabled={where === ""} onClick={() => set(where, value)}>
              {label}
            </button>
          ))}
        </span>
      </div>
    </>
  );
}
