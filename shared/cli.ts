import { type Command, InvalidArgumentError } from "commander";
import { SkadiError } from "./errors.ts";

/** An option parser for whole numbers in [min, max]. */
export function integerOption(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number ${bounds(min, max)}`);
  };
}

/** An option parser for numbers in [min, max]. */
export function numberOption(min: number, max = Number.MAX_VALUE): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a number ${bounds(min, max)}`);
  };
}

function bounds(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER || max === Number.MAX_VALUE ? `≥ ${min}` : `from ${min} to ${max}`;
}

/** Exit codes: 0 done, 1 the job failed, 2 the request was wrong (options, configuration, data, model). */
const EXIT_FAILED = 1;
const EXIT_WRONG_REQUEST = 2;

/** Runs a command-line program; a SkadiError prints one line per rejection, anything else its stack. */
export async function runCli(program: Command, argv: string[]): Promise<void> {
  // The reader of a pipe (`| head`) may leave before the program is done; that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof SkadiError) {
      for (const rejection of error.rejections)
        process.stderr.write(`${rejection.code}: ${rejection.message}\n`);
      process.exitCode = EXIT_WRONG_REQUEST;
      return;
    }
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = EXIT_FAILED;
  }
}
