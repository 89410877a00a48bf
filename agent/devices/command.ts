import { type ChildProcess, spawn } from "node:child_process";
import { skadiError } from "../../shared/errors.ts";

/** What a command may print. */
export const OUTPUT_MAX_BYTES = 256 * 1024;
/** As much of what it complained is passed on. */
const COMPLAINT_MAX_LENGTH = 300;

/** Ended with this process: they are in process groups of their own, where no signal to ours reaches them. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) killGroup(child);
});

/** Starts a program, without a shell, in a process group of its own, so that it can be ended with all it started. */
export function startCommand(
  command: readonly string[],
  options: {
    env?: Record<string, string>;
    onStdout(chunk: Buffer): void;
    onEnd(reason: string | null): void;
  },
): { kill(): void } {
  const [program = "", ...args] = command;
  const env = { ...process.env, ...options.env };
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.add(child);
  let complaint = "";
  let spawn_error: Error | undefined;
  child.stdout.on("data", options.onStdout);
  child.stderr.on("data", (chunk: Buffer) => {
    if (complaint.length < COMPLAINT_MAX_LENGTH) complaint += chunk.toString("utf8");
  });
  child.on("error", (error) => {
    spawn_error = error;
  });
  // What it left running would keep its output open.
  child.on("exit", () => killGroup(child));
  child.on("close", (code, signal) => {
    running.delete(child);
    if (code === 0) return options.onEnd(null);
    const how = spawn_error?.message ?? (signal ? `ended by ${signal}` : `exit code ${code}`);
    const why = complaint.slice(0, COMPLAINT_MAX_LENGTH).trim().replaceAll(/\s+/g, " ");
    options.onEnd(why ? `${how}: ${why}` : how);
  });
  return { kill: () => killGroup(child) };
}

/**
 * Runs a program, without a shell, and returns what it printed. Its arguments appear in no error: they may be secret.
 *
 * @param signal kills it, with all it started, when aborted
 * @throws SkadiError SKADI_DRIVER with the reason if it cannot be run or fails, SKADI_PAYLOAD_TOO_LARGE if it prints
 *   more than OUTPUT_MAX_BYTES
 */
export function runCommand(
  command: readonly string[],
  signal: AbortSignal,
  env: Record<string, string> = {},
): Promise<string> {
  const detail = { field: "command", value: command[0] };
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onStdout = (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= OUTPUT_MAX_BYTES) chunks.push(chunk);
      else tooMuch();
    };
    const onEnd = (reason: string | null) => {
      signal.removeEventListener("abort", onAbort);
      if (reason === null) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(skadiError("SKADI_DRIVER", { ...detail, expected: `success (${reason})` }));
    };
    const child = startCommand(command, { env, onStdout, onEnd });
    const onAbort = () => {
      child.kill();
      reject(signal.reason);
    };
    const tooMuch = () => {
      child.kill();
      reject(skadiError("SKADI_PAYLOAD_TOO_LARGE", { ...detail, expected: `≤ ${OUTPUT_MAX_BYTES} bytes` }));
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || !running.has(child)) return;
  if (process.platform === "win32") {
    child.kill("SIGKILL");
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // Nothing of the group is left, or what is left runs as another user (sudo) and is not ours to end.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}
