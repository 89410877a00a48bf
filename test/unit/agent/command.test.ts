import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OUTPUT_MAX_BYTES, runCommand, startCommand } from "../../../agent/devices/command.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const never = new AbortController().signal;
const sh = (script: string, signal = never, env: Record<string, string> = {}) =>
  runCommand(["/bin/sh", "-c", script], signal, env);

/** The state letter of a process, as its kernel tells it; null: there is none, or only what is left of it. */
function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

/** A script that starts a child, says who it is, and goes on with `then`. */
const withChild = (file: string, then: string) =>
  `sleep 600 & echo $! > ${file}.tmp; mv ${file}.tmp ${file}; ${then}`;

describe("a command", () => {
  it("gives what it printed", async () => {
    expect(await sh("printf 'one\\ntwo'")).toBe("one\ntwo");
  });

  it("that fails tells how and why, in one short line, without its arguments", async () => {
    const failing = sh("echo 'bus is gone' >&2; yes complaint | head -c 5000 >&2; exit 3; : password123");
    const error = await failing.catch((e: Error) => e.message);
    expect(error).toContain("/bin/sh");
    expect(error).toContain("exit code 3: bus is gone");
    expect(error).not.toContain("password123");
    expect(String(error).length).toBeLessThan(600);
  });

  it("that is not there says so", async () => {
    await expect(runCommand(["/nowhere/program"], never)).rejects.toThrow("ENOENT");
  });

  it("that prints without end is stopped", async () => {
    await expect(sh("yes")).rejects.toMatchObject({ code: "SKADI_PAYLOAD_TOO_LARGE" });
    const most = await sh(`yes | head -c ${OUTPUT_MAX_BYTES}`);
    expect(most.length).toBe(OUTPUT_MAX_BYTES);
  });

  it("that hangs is ended with all that it started", async () => {
    const file = join(temporaryFolder(), "pid");
    const abort = new AbortController();
    const hanging = sh(withChild(file, "wait"), abort.signal);
    await eventually("the child runs", () => existsSync(file));
    const pid = readFileSync(file, "utf8").trim();
    expect(isRunning(pid)).toBe(true);
    abort.abort(new Error("no answer within 2 s"));
    await expect(hanging).rejects.toThrow("no answer within 2 s");
    await eventually("the child is gone", () => !isRunning(pid));
  });

  it("that leaves something running behind is not waited for, and what it left is ended", async () => {
    const file = join(temporaryFolder(), "pid");
    expect(await sh(withChild(file, "echo done"))).toBe("done\n");
    const pid = readFileSync(file, "utf8").trim();
    await eventually("the child is gone", () => !isRunning(pid));
  });

  it("is given secrets by its environment", async () => {
    expect(await sh('printf "$SECRET"', never, { SECRET: "s3cret" })).toBe("s3cret");
  });

  it("that goes on for ever is told from, and ended, by whoever started it", async () => {
    const lines: string[] = [];
    const ended = Promise.withResolvers<string | null>();
    const child = startCommand(["/bin/sh", "-c", "while :; do echo tick; sleep 0.05; done"], {
      onStdout: (chunk) => lines.push(chunk.toString("utf8")),
      onEnd: ended.resolve,
    });
    await eventually("it ticks", () => lines.join("").split("\n").length > 3);
    child.kill();
    expect(await ended.promise).toBe("ended by SIGKILL");
  });
});
