import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { MEASURED_FIELDS, Measured, type MeasuredField } from "../../shared/contracts/telemetry.ts";
import { SkadiError, skadiError } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import type { SensorDriver } from "./driver.ts";

const run = promisify(execFile);
const OUTPUT_MAX_BYTES = 64 * 1024;

/** Fields that the command leaves out are missing; a field of the wrong type fails the whole read. */
const ExecOutput = Measured.partial();

/** Runs a command for each read; it prints one JSON object with telemetry fields, energy since its last run. */
export function execDriver(options: {
  command: readonly string[];
  timeout_s: number;
  clock: Clock;
}): SensorDriver {
  const [program, ...args] = options.command;
  return {
    name: `exec ${program}`,
    open: async () => {},
    async read() {
      const stdout = await output(program ?? "", args, options.timeout_s * 1000);
      const parsed = parsePayload(ExecOutput, Buffer.from(stdout), OUTPUT_MAX_BYTES);
      if (!parsed.ok) throw new SkadiError(parsed.rejections);
      const values = {} as Record<MeasuredField, number | null>;
      for (const field of MEASURED_FIELDS) values[field] = parsed.value[field] ?? null;
      return { at_ms: options.clock.now(), values };
    },
    close: async () => {},
  };
}

async function output(program: string, args: string[], timeout: number): Promise<string> {
  try {
    return (
      await run(program, args, {
        timeout,
        killSignal: "SIGKILL",
        maxBuffer: OUTPUT_MAX_BYTES,
        encoding: "utf8",
      })
    ).stdout;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_DRIVER", {
      field: "sensors.command",
      value: program,
      expected: `success (${reason})`,
    });
  }
}
