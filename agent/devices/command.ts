import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { skadiError } from "../../shared/errors.ts";

const run = promisify(execFile);

/** What a command may print. */
export const OUTPUT_MAX_BYTES = 256 * 1024;

/**
 * Runs a program without a shell and returns what it printed.
 *
 * @param signal kills it when aborted
 * @throws SkadiError SKADI_DRIVER with the reason if it cannot be run or fails
 */
export async function runCommand(command: readonly string[], signal: AbortSignal): Promise<string> {
  const [program = "", ...args] = command;
  try {
    const options = { signal, killSignal: "SIGKILL", maxBuffer: OUTPUT_MAX_BYTES, encoding: "utf8" } as const;
    return (await run(program, args, options)).stdout;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_DRIVER", { field: "command", value: program, expected: `success (${reason})` });
  }
}
