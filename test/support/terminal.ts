import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { temporaryFolder } from "./temporary.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

export interface Terminal {
  /** What a person sees, line by line. */
  screen(): string;
  /** The same with the control sequences of its colours. */
  colours(): string;
  /** Waits until the screen shows it, and returns the match. */
  sees(pattern: RegExp, deadline_ms?: number): Promise<RegExpExecArray>;
  type(text: string): void;
  /** Keys by tmux's names: Enter, Up, PageDown, Escape, C-c … */
  press(...keys: string[]): void;
  resize(columns: number, rows: number): void;
}

interface Options {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
  shell?: readonly string[];
}

const BASH = ["bash", "--noprofile", "--norc", "-i"];

/** A real terminal (tmux) with a shell in it, in the folder of Skadi; it is closed with the test. */
export function openTerminal({ columns = 80, rows = 24, env = {}, shell = BASH }: Options = {}): Terminal {
  const socket = join(temporaryFolder(), "tmux");
  const tmux = (...args: string[]) =>
    execFileSync("tmux", ["-u", "-S", socket, ...args], { encoding: "utf8" });
  const home = temporaryFolder();
  const path = `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH}`;
  const variables = { PATH: path, HOME: home, LANG: "C.UTF-8", PS1: "$ ", HISTFILE: "", ...env };
  const unset = ["NO_COLOR", "CI", "FORCE_COLOR", "NODE_OPTIONS"].map((name) => `-u${name}`);
  const given = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const size = ["-x", String(columns), "-y", String(rows)];
  tmux("-f", "/dev/null", "new-session", "-d", ...size, "-c", ROOT, "env", ...unset, ...given, ...shell);
  onTestFinished(() => {
    tmux("kill-server");
  });
  const screen = () => tmux("capture-pane", "-p");
  return {
    screen,
    colours: () => tmux("capture-pane", "-p", "-e"),
    sees: (pattern, deadline_ms = 30_000) =>
      eventually(`the terminal to show ${pattern}`, () => pattern.exec(screen()), deadline_ms).catch(
        (error) => {
          throw new Error(`${error.message}\n${screen()}`);
        },
      ),
    type: (text) => tmux("send-keys", "-l", text),
    press: (...keys) => tmux("send-keys", ...keys),
    resize: (x, y) => tmux("resize-window", "-x", String(x), "-y", String(y)),
  };
}
