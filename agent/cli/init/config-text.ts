import { Document, isMap, isScalar, isSeq, type Pair, type YAMLMap } from "yaml";
import type * as z from "zod";
import type { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import type { MeasuredField } from "../../../shared/contracts/telemetry.ts";
import { MEASURED_FIELDS } from "../../../shared/contracts/telemetry.ts";

/** A device as it would stand in a configuration. */
export type DeviceInput = NonNullable<z.input<typeof AgentConfig>["sensors"]>["devices"] extends
  | (infer D)[]
  | undefined
  ? D
  : never;

export interface FoundDevice {
  config: DeviceInput;
  /** One line for the person who reads the file: what it is and what it measures. */
  comment: string;
  fields: readonly MeasuredField[];
}

export interface Site {
  site: string;
  rack_id: string;
  broker_url: string;
  devices: readonly FoundDevice[];
}

/** A commented configuration for what was found: advisory, nothing driven, what is missing named. */
export function configText({ site, rack_id, broker_url, devices }: Site): string {
  const settings = {
    site,
    rack_id,
    mode: "advisory",
    mqtt: { url: broker_url },
    sensors: { devices: devices.map(({ config }) => config) },
  };
  const document = new Document(settings, { aliasDuplicateObjects: false });
  document.commentBefore =
    " Skadi agent, written by skadi-agent init. Settings that are not here have the defaults of the shipped\n agent.yaml; docs/drivers/ has every driver. Try it: skadi-agent check, skadi-agent sensors, skadi-agent run --dry-run";
  const comments: Record<string, string> = {
    mode: " advisory decides and logs; closed_loop also drives, once there are drives (docs/drivers/)",
    sensors: missingComment(devices),
  };
  const root = document.contents as YAMLMap;
  for (const [key, comment] of Object.entries(comments)) {
    const pair = root.items.find((item: Pair) => isScalar(item.key) && item.key.value === key);
    if (pair && isScalar(pair.key)) pair.key.commentBefore = comment;
  }
  const list = document.getIn(["sensors", "devices"], true);
  if (isSeq(list)) {
    list.items.forEach((item, i) => {
      if (isMap(item)) item.commentBefore = ` ${devices[i]?.comment}`;
    });
  }
  return document.toString({ lineWidth: 110 });
}

function missingComment(devices: readonly FoundDevice[]): string {
  const measured = new Set(devices.flatMap(({ fields }) => fields));
  const missing = MEASURED_FIELDS.filter((field) => !measured.has(field));
  if (missing.length === 0) return " Everything that a rack's score needs is measured";
  return ` Nothing was found for: ${missing.join(", ")}`;
}
