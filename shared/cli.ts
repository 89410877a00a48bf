import { type Command, CommanderError, InvalidArgumentError } from "commander";
import { coloursFor } from "./colours.ts";
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

/** Runs a command-line program; a SkadiError prints one line per rejection and what to do, anything else its stack. */
export async function runCli(program: Command, argv: string[]): Promise<void> {
  // The reader of a pipe (`| head`) may leave before the program is done; that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  prepare(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Prints what went wrong and returns the exit code. */
function report(error: unknown): number {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_WRONG_REQUEST;
  if (!(error instanceof SkadiError)) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return EXIT_FAILED;
  }
  const { red, dim } = coloursFor(process.stderr);
  for (const { code, message } of error.rejections) process.stderr.write(`${red(code)}: ${message}\n`);
  for (const line of error.next) process.stderr.write(`${dim("→")} ${line}\n`);
  return EXIT_WRONG_REQUEST;
}

/** A wrong request names the help that would have prevented it. */
function prepare(command: Command): void {
  command.exitOverride();
  command.showHelpAfterError(`(${fullName(command)} --help says what there is)`);
  for (const inner of command.commands) prepare(inner);
}

/** Such as `skadi-aggregator incidents list`. */
export function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}
