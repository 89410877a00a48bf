import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

type ProgramFile = "agent" | "aggregator" | "sim";

export interface Program {
  readonly process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code. */
  exit(): Promise<number | null>;
  /** Waits until standard output matches, and returns the match. */
  says(pattern: RegExp, deadline_ms?: number): Promise<RegExpExecArray>;
}

/** Starts one of Skadi's programs as a user would, in a process of its own; it is ended with the test. */
export function startProgram(
  file: ProgramFile,
  args: readonly string[],
  env: Record<string, string> = {},
): Program {
  const program = launch(file, args, env);
  onTestFinished(async () => {
    program.process.kill("SIGKILL");
    await program.exit();
  });
  return program;
}

function launch(file: ProgramFile, args: readonly string[], env: Record<string, string>): Program {
  const child = spawn(process.execPath, [`${file}/start.mjs`, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    exit: () => ended,
    says: (pattern, deadline_ms = 60_000) =>
      eventually(`${file} says ${pattern} (stderr: ${stderr})`, () => pattern.exec(stdout), deadline_ms),
  };
}

/** Runs a program to its end. */
export async function runProgram(
  file: ProgramFile,
  args: readonly string[],
  options: { stdin?: string; env?: Record<string, string> } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = launch(file, args, options.env ?? {});
  program.process.stdin?.end(options.stdin ?? "");
  const code = await program.exit();
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}
