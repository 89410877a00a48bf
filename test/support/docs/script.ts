import type { ShellBlock } from "./blocks.ts";

/** How long a block that runs beside the others may take to show its text. */
const READY_S = 120;

/** Marks, on standard error, which block begins. */
const MARK = "@@";

const PROLOGUE = `set -euo pipefail
set -m # so that a program that runs beside can be stopped with all that it started
ready() { # log, text, process
  for _ in $(seq ${READY_S * 5}); do
    grep -qF -- "$2" "$1" 2>/dev/null && return 0
    kill -0 "$3" 2>/dev/null || { cat "$1" >&2; echo "ended without showing: $2" >&2; return 1; }
    sleep 0.2
  done
  cat "$1" >&2; echo "did not show within ${READY_S} s: $2" >&2; return 1
}`;

/** One bash script that does what a reader of the page would do, block by block, and stops at the first failure. */
export function pageScript(blocks: readonly ShellBlock[], log_folder: string): string {
  const parts = blocks.flatMap(({ page, line, commands, run }) => {
    if (run.how === "not" || run.how === "elsewhere") return [];
    const mark = `echo '${MARK} ${page}:${line}' >&2`;
    if (run.how === "to_the_end") return [mark, commands];
    const log = `${log_folder}/${line}.log`;
    return [mark, `{ ${commands}\n} >'${log}' 2>&1 &`, `ready '${log}' ${quoted(run.until)} $!`];
  });
  return [PROLOGUE, ...parts, `echo '${MARK} done' >&2`].join("\n");
}

/** Where a script was when it failed, from what it wrote to standard error. */
export function lastMark(stderr: string): string {
  return stderr.split("\n").findLast((line) => line.startsWith(MARK)) ?? "before the first block";
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
