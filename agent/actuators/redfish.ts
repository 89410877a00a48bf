import {
  REDFISH_CONTROLS,
  type RedfishControl,
  type RedfishDrive,
} from "../../shared/contracts/devices/redfish.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { documentWith, follow, merged, stepsOf } from "../devices/json-pointer.ts";
import { type RedfishClient, redfishConnector } from "../devices/redfish.ts";
import type { DriveDevice } from "./drive.ts";
import { fromRaw, targetOf, toRaw } from "./targets.ts";

type Target = RedfishDrive["targets"][number];

/** Modes in which a control keeps to its setpoint, besides the configured one. */
const HOLDING_MODES = ["Manual", "Override"];
/** A resource that changes between every read and write is left alone. */
const WRITE_ATTEMPTS = 2;

/** Changes a setpoint only on the resource that was read before, and takes it over from the device or hands it back. */
export function redfishDrive(config: RedfishDrive, clock: Clock, log: Log): DriveDevice {
  const connect = redfishConnector(config, clock, log);
  let client: RedfishClient | null = null;

  const shut = async () => {
    const old = client;
    client = null;
    await old?.close();
  };
  const resource = async ({ uri }: Target, signal: AbortSignal) => {
    if (!client) throw new Error("not open");
    const document = await client.get(uri, signal);
    if (!document) throw skadiError("SKADI_DRIVER", { field: uri, value: 404, expected: "a resource" });
    return { client, document };
  };
  return {
    name: config.name,
    targets: config.targets.map(({ target }) => target),
    async open() {
      await shut();
      client = connect();
    },
    async read(name, signal) {
      const target = targetOf(config.targets, name);
      const { document } = await resource(target, signal);
      const raw = setpoint(document.body, target);
      return raw === null ? null : fromRaw(raw, target);
    },
    async write(name, value, signal, permit) {
      const target = targetOf(config.targets, name);
      for (let attempt = 1; attempt <= WRITE_ATTEMPTS; attempt++) {
        const { client, document } = await resource(target, signal);
        const raw = value === null ? null : toRaw(value, target);
        const change = changeTo(raw, document.body, target);
        // The resource may have taken seconds to read.
        permit?.(name);
        if (await client.patch(target.uri, change, document.etag, signal)) return;
      }
      throw skadiError("SKADI_DRIVER", {
        field: target.uri,
        value: 412,
        expected: "a resource that nobody else changes at the same time",
      });
    },
    close: shut,
  };
}

/** Where the setpoint and its mode are: as the profile says, unless the configuration says otherwise. */
function controlOf({ profile, property, mode_property, automatic, manual }: Target): RedfishControl {
  const ready: Partial<RedfishControl> = profile ? REDFISH_CONTROLS[profile] : {};
  return {
    property: property ?? ready.property ?? "",
    mode_property: mode_property ?? ready.mode_property,
    automatic: automatic ?? ready.automatic ?? "Automatic",
    manual: manual ?? ready.manual ?? "Manual",
  };
}

function holds(mode: unknown, { automatic, manual }: RedfishControl): boolean {
  return mode === manual || (mode !== automatic && HOLDING_MODES.includes(String(mode)));
}

/** The raw setpoint in force; null while the device decides by itself. */
function setpoint(body: unknown, target: Target): number | null {
  const control = controlOf(target);
  const { property, mode_property } = control;
  const mode = mode_property && follow(body, stepsOf(mode_property)).value;
  if (typeof mode === "string" && !holds(mode, control)) return null;
  const { value } = follow(body, stepsOf(property));
  if (typeof value === "number" || value === null) return value;
  const field = `${target.uri}#${property}`;
  throw skadiError("SKADI_DRIVER", { field, value: value ?? "nothing", expected: "a number or null" });
}

/** The mode is only sent where there is one and it must change: some devices refuse it otherwise. */
function changeTo(raw: number | null, body: unknown, target: Target): unknown {
  const control = controlOf(target);
  const { property, mode_property, automatic, manual } = control;
  if (mode_property === undefined) return documentWith(stepsOf(property), raw);
  const mode = follow(body, stepsOf(mode_property)).value;
  const modeChange = (to: string) => documentWith(stepsOf(mode_property), to);
  if (raw === null) return modeChange(automatic);
  const change = documentWith(stepsOf(property), raw);
  return mode === undefined || holds(mode, control) ? change : merged(change, modeChange(manual));
}
