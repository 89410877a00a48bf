import type { JSX } from "preact";
import type { RackTarget } from "../../../../../shared/contracts/action.ts";
import { post } from "../../data/api.ts";
import { useQuery } from "../../data/query.ts";
import { TARGETS } from "../../format/words.ts";
import { href } from "../../router.ts";
import { confirm } from "../../ui/dialog.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { attempt } from "../../ui/toast.tsx";

interface Device {
  rack_id: string;
  target: RackTarget;
  since: string;
  reason: string;
}

/** Devices that did not do what they were asked; shown only where there are any. */
export function Quarantine(): JSX.Element | null {
  const { data, reload } = useQuery<{ devices: Device[] }>("/quarantine", {
    on: ["quarantine"],
    every_ms: 30_000,
  });
  if (!data || data.devices.length === 0) return null;
  const release = async ({ rack_id, target }: Device) => {
    const sure = await confirm({
      title: `Release the ${TARGETS[target].toLowerCase()} of ${rack_id}?`,
      text: "It did not do what it was asked. Release it once somebody has looked at it.",
      action: "Release",
    });
    if (!sure) return;
    await attempt(() => post("/quarantine/release", { rack_id, target }), "Released");
    reload();
  };
  return (
    <Panel title="In quarantine">
      <ul class="plain-list">
        {data.devices.map((device) => (
          <li key={`${device.rack_id}/${device.target}`}>
            <span>
              <a href={href("racks", device.rack_id)}>{device.rack_id}</a> {TARGETS[device.target]}
              <span class="row-note">
                {device.reason}, since <Time ts={device.since} form="date" />
              </span>
            </span>
            <button type="button" class="link" onClick={() => release(device)}>
              Release
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
