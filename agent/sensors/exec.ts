import type { CommonPoint } from "../../shared/contracts/devices/common.ts";
import type { ExecSensor } from "../../shared/contracts/devices/exec.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { Measured } from "../../shared/contracts/telemetry.ts";
import { SkadiError } from "../../shared/errors.ts";
import { OUTPUT_MAX_BYTES, runCommand } from "../devices/command.ts";
import type { SensorDevice } from "./device.ts";

/** Fields that the command leaves out are missing; a field of the wrong type fails the whole read. */
const ExecOutput = Measured.partial();

export function execPoints({ fields }: ExecSensor): CommonPoint[] {
  return fields.map((field) => ({ field, scale: 1, offset: 0 }));
}

/** Runs a command for each read; it prints one JSON object with telemetry fields, energy since its last run. */
export function execSensor({ name, command, fields }: ExecSensor): SensorDevice {
  return {
    name,
    open: async () => {},
    async read(signal) {
      const parsed = parsePayload(
        ExecOutput,
        Buffer.from(await runCommand(command, signal)),
        OUTPUT_MAX_BYTES,
      );
      if (!parsed.ok) throw new SkadiError(parsed.rejections);
      return fields.map((field) => ({ values: [parsed.value[field] ?? null] }));
    },
    close: async () => {},
  };
}
